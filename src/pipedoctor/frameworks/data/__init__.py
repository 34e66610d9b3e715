"""How rows reach a model: data sets, transforms, streams, loaders, collators, batches."""
