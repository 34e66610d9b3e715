"""The checks that come with pipedoctor: a folder a chapter, a file a fault."""
