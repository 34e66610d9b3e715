"""What a device has left, and what fits into it by trying: behind one interface, for any device."""
