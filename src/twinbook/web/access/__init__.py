"""Who may do what: people, their roles and passwords, sessions, and the guard before every route."""
