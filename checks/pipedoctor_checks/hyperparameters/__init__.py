"""Learning rates, batch sizes, schedules: numbers that train badly, or are not read as meant."""
