"""Home Assistant as a bus: its registries make the house, its states come as they change, its services do the work."""
