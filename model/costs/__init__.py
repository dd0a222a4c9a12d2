"""Operations, memory and published energy, counted from shapes."""
