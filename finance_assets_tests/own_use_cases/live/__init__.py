"""Which readers cancel tomorrow? Daily, known a day later: small enough to be played live."""
