package source

import "math"

// opaque passes over a member that another reader checks strictly afterwards.
// Only broken syntax, which leaves nothing to read, is reported here; everything
// else would be reported twice.
func (s *scanner) opaque(key string) {
	s.space()
	start := s.at
	// What is found inside goes to a list of its own, of which the last entry is
	// the one that stopped the scan.
	kept := s.finds
	values := s.limits.Values
	s.finds, s.limits.Values = &Diagnostics{}, math.MaxInt32 // its reader counts them
	s.skip()
	s.limits.Values = values
	if s.fatal {
		kept.List = append(kept.List, s.finds.List[len(s.finds.List)-1])
	}
	s.finds = kept
	if _, taken := s.spans[key]; !taken && s.spans != nil {
		s.spans[key] = s.src[start:s.at]
	}
}

// skip passes over one value of any depth without building nodes for its lists
// and objects and without recursion: open is the stack of brackets still to be
// closed.
func (s *scanner) skip() {
	var open []byte
	for !s.fatal {
		c := s.here()
		if c == '{' || c == '[' {
			end := c + 2 // the closing bracket, in ASCII
			s.at++
			if s.here() != end {
				open = append(open, end)
				if end == '}' {
					s.skipName()
				}
				continue
			}
			s.at++
		} else if !s.skipPlain(c) {
			s.value(nil, "", Position{}, 1)
		}
		if s.fatal || !s.unwind(&open) {
			return
		}
	}
}

// skipPlain passes over a text that needs no look at it; false where the value that begins
// with c is another one, and nothing was read.
func (s *scanner) skipPlain(c byte) bool {
	if c != '"' {
		return false
	}
	_, ok := s.plain()
	if ok {
		s.seq++ // as value counts it
	}
	return ok
}

// unwind reads what follows a finished value: closing brackets, then a comma and
// the next member's name. False: the outermost value is done, or the scan has
// stopped.
func (s *scanner) unwind(open *[]byte) bool {
	for len(*open) > 0 {
		end := (*open)[len(*open)-1]
		if s.closes(end, "value") {
			*open = (*open)[:len(*open)-1]
			continue
		}
		if end == '}' {
			s.skipName()
		}
		return true
	}
	return false
}

// skipName passes over a member's name and its colon.
func (s *scanner) skipName() {
	if s.here() != '"' {
		s.broken("Expected a field name in double quotes")
		return
	}
	if _, ok := s.plain(); !ok {
		s.str(&Node{Kind: String, Seq: s.seq})
	}
	if !s.fatal && s.here() != ':' {
		s.broken("Expected a colon after the field name")
		return
	}
	s.at++
}
