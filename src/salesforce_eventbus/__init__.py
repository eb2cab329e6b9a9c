"""The wire contract of Salesforce's Pub/Sub API (`eventbus.v1`): messages and method paths, nothing else."""
