"""An emulated Salesforce org over HTTP: OAuth, REST, SOQL, collections, describe, Bulk API 2.0 (salesforce.md)."""
