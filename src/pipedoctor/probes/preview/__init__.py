"""What enters the model, as records for people: that needs no framework, only its batches."""
