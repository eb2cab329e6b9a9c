"""The emulated Pub/Sub API: change events in Avro, retention and replay, flow control (salesforce.md 2, 3)."""
