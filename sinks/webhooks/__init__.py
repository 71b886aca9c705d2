"""Webhooks over HTTP, as Standard Webhooks specifies: signing, one request and its answer, when to try again."""
