"""SOQL: text → syntax tree (`parser`) → SQL on the org's tables (`compiler`) → records (`records`)."""
