"""What people and programs do, each with its line in the audit, in one transaction: shared by pages and API."""
