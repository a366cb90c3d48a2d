"""What a Home Assistant that is paired with this server is told, asked and allowed."""
