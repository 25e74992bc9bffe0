"""Under everything: records, refusals, errors, ids, images and seeds. Imports no other room."""
