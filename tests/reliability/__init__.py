"""What the library can be relied on for, in numbers: `make reliability`."""
