"""What travels between the rooms: requests, replies and the declared output."""
