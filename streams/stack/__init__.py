"""The local stack: the real Apache Kafka and the real ClickHouse engine, on nothing but Python.

`stack.up` starts what is not there yet and says where it is; see the README beside this file.
"""
