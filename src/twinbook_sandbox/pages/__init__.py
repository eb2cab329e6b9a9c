"""Two small record sites, one per emulated system, to look at records and edit them by hand."""
