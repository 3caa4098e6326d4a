package exactjson

import (
	"encoding/json"
	"strconv"
)

// Object writes one JSON object by appending, without reflection. Members come in the
// order of the calls; that their names differ is the caller's matter.
type Object struct {
	// Buf ends with what was written so far. After Name the caller appends the
	// member's value.
	Buf   []byte
	start int // where the object begins in Buf
}

// ObjectIn returns an object that begins at the end of buf and grows it.
func ObjectIn(buf []byte) Object { return Object{buf, len(buf)} }

// Name begins a member: everything up to its value.
func (o *Object) Name(name string) {
	if o.Empty() {
		o.Buf = append(o.Buf, '{')
	} else {
		o.Buf = append(o.Buf, ',')
	}
	o.Buf = append(AppendString(o.Buf, name), ':')
}

// Text appends a string.
func (o *Object) Text(name, v string) {
	o.Name(name)
	o.Buf = AppendString(o.Buf, v)
}

// Raw appends a JSON value as it stands.
func (o *Object) Raw(name string, v json.RawMessage) {
	o.Name(name)
	o.Buf = append(o.Buf, v...)
}

// Int appends a whole number.
func (o *Object) Int(name string, v int64) {
	o.Name(name)
	o.Buf = strconv.AppendInt(o.Buf, v, 10)
}

// Empty reports whether no member was begun.
func (o *Object) Empty() bool { return len(o.Buf) == o.start }

// End closes the object and returns the buffer. Nothing may be written after it.
func (o *Object) End() []byte {
	if o.Empty() {
		o.Buf = append(o.Buf, '{')
	}
	return append(o.Buf, '}')
}
