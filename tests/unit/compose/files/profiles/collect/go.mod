module collect
