"""What the emulated systems share: clock, traffic, control plane, certificates and servers."""
