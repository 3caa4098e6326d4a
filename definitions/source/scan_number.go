package source

import (
	"heddle/internal/exactjson"
	"strings"
)

// number reads a number by the grammar of RFC 8259, section 6, and keeps its
// text: 1.0 and 1 stay different in the canonical form, and no digit is lost. One
// that is too large makes n Bad.
func (s *scanner) number(n *Node) {
	end := s.at
	for end < len(s.src) && strings.IndexByte("+-.eE0123456789", s.src[end]) >= 0 {
		end++
	}
	written := s.text[s.at:end]
	if !exactjson.IsNumber(written) {
		s.broken("%q is not a JSON number", Clip(written))
		return
	}
	s.at = end
	n.Kind, n.Text = Number, written
	s.finds.refuseTooLarge(n)
}

// refuseTooLarge makes a number that is too large Bad, and reports it.
func (f *Diagnostics) refuseTooLarge(n *Node) {
	if exactjson.TooLarge(n.Text) {
		n.Kind = Bad
		f.Error(LimitExceeded, n, "A number has more than %d digits or an exponent beyond ±%d; write it as text", exactjson.MaxDigits, exactjson.MaxExponent)
	}
}
