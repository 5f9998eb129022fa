"""Random programs, carried out by a store and by a model that is naive: step by step both have to say the same."""
