"""What every client is told first: where the brokers are and how to log in, and where schemas are."""

from __future__ import annotations

from schemas.registry import Schemas, schemas_from
from streams.settings import Settings


def connection(settings: Settings) -> dict[str, str]:
    """librdkafka properties. Secrets stand in it in the clear: hand it to a client, never to a log."""
    config = {
        "bootstrap.servers": settings.bootstrap_servers,
        "security.protocol": settings.kafka_security_protocol,
    }
    if settings.kafka_sasl_username:
        config["sasl.mechanism"] = settings.kafka_sasl_mechanism
        config["sasl.username"] = settings.kafka_sasl_username
    if settings.kafka_sasl_password:
        config["sasl.password"] = settings.kafka_sasl_password.get_secret_value()
    return config | {name: value.get_secret_value() for name, value in settings.kafka_options.items()}


def schemas_of(settings: Settings) -> Schemas | None:
    """The Avro schemas of this deployment, if it has any."""
    url = settings.schema_registry_url
    return schemas_from(None if url is None else url.get_secret_value(), settings.schema_folder)
