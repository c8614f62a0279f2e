"""A running container as it is: by `inspect`, from inside, from the host; and how it differs from its plan."""
