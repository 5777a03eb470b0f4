"""A notebook executed with parameters: supervised, recorded in the ledger, with an outcome."""
