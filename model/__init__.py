"""Networks as integers: the contract, the golden arithmetic; torch only below ``model.nn``."""
