"""What people ask for: deciding, taking over, making good."""
