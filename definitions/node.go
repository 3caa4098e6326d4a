package definitions

type node struct{}
