package parser

import (
	"heddle/definitions/source"
	"strconv"
	"strings"
)

// subject is what messages call a value. It is made into words only where there is
// something to say: a definition has tens of thousands of values.
type subject struct {
	kind  subjectKind
	owner *subject // what it is a part of; nil of a definition and of a named step
	text  string   // the name of a member, or the id of a step
	item  int      // the index of an item of a list, or of a step without an id
}

// subjectKind is how a value is called.
type subjectKind uint8

const (
	theDefinition subjectKind = iota // the definition
	member                           // 'retry' in step 'a'
	listItem                         // item 3 of 'depends_on' in step 'a'
	stepNamed                        // step 'a'
	stepOf                           // step 3; step 3 of finally; step 3 of the body of step 'a'
	configOf                         // the config of step 'a'
)

// String returns the words.
func (s *subject) String() string {
	switch s.kind {
	case member:
		return "'" + s.text + "' in " + s.owner.String()
	case listItem:
		return "item " + strconv.Itoa(s.item) + " of " + s.owner.String()
	case stepNamed:
		return "step '" + source.Clip(s.text) + "'"
	case configOf:
		return "the config of " + s.owner.String()
	case stepOf:
		return "step " + strconv.Itoa(s.item) + s.owner.ofList()
	default:
		return "the definition"
	}
}

// ofList returns how the list s is named behind the index of one of its steps: not at all
// for the main steps.
func (s *subject) ofList() string {
	switch in := s.owner.String(); {
	case s.owner.kind != theDefinition:
		return " of the body of " + strings.TrimPrefix(in, "the config of ")
	case s.text != "steps":
		return " of " + s.text
	}
	return ""
}

// capitalized returns the words as the beginning of a sentence.
func (s *subject) capitalized() string { return source.Capitalize(s.String()) }
