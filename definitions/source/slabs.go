package source

// slabs hands out nodes and the lists of their children out of larger pieces of memory: a
// definition has tens of thousands of them, which live and die together.
type slabs struct {
	nodes []Node
	lists []*Node
	keys  []string
	next  int // nodes of the next piece
}

// The sizes of pieces, in nodes. The first is small, since most texts are.
const (
	firstSlab = 16
	lastSlab  = 256
)

// node returns a new node.
func (s *slabs) node() *Node {
	if len(s.nodes) == 0 {
		s.next = min(max(2*s.next, firstSlab), lastSlab)
		s.nodes = make([]Node, s.next)
	}
	n := &s.nodes[0]
	s.nodes = s.nodes[1:]
	return n
}

// list returns a copy of the nodes, whose capacity ends with it; nil for none.
func (s *slabs) list(of []*Node) []*Node {
	if len(of) == 0 {
		return nil
	}
	if len(s.lists) < len(of) {
		s.lists = make([]*Node, max(len(of), s.next))
	}
	n := copy(s.lists, of)
	list := s.lists[:n:n]
	s.lists = s.lists[n:]
	return list
}

// names is list for keys.
func (s *slabs) names(of []string) []string {
	if len(of) == 0 {
		return nil
	}
	if len(s.keys) < len(of) {
		s.keys = make([]string, max(len(of), s.next))
	}
	n := copy(s.keys, of)
	list := s.keys[:n:n]
	s.keys = s.keys[n:]
	return list
}
