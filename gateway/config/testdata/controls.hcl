listener "main" {
	address = ":2121"
	banner	= "\u001b[2J €é[2J" + 1 
}
