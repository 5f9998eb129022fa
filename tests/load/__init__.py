"""Many people at one server, through real websockets; and one person who clicks for a very long time."""
