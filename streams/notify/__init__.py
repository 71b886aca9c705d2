"""NOTIFY: records of the billing topics to webhooks, one stage an address, so that none waits for another's."""
