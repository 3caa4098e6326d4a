package core

import (
	"bytes"
	"encoding/json"
	"errors"
	"heddle/definitions/parser"
	"heddle/definitions/source"
	"heddle/fault"
	"heddle/internal/exactjson"
	"io"
	"mime"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// BodyRule says what body a route takes, and so which media types and which size are accepted.
type BodyRule uint8

// The rules for bodies.
const (
	BodyNone     BodyRule = iota // what is sent is not read
	BodyOptional                 // may be absent or empty
	BodyRequired
	BodyDefinition         // required, larger, YAML too
	BodyOptionalDefinition // BodyDefinition that may be absent or empty
	BodyLines              // lines of JSON, which the handler reads itself
)

// The largest bodies, in bytes: 1 MiB, and 4 MiB for a body with a definition.
const (
	maxBody           = 1 << 20
	maxDefinitionBody = source.MaxBytes
)

// ParsedDefinition is the definition within a request: what is wrong with it is a matter for
// validation, not for decoding. A request type has at most one field of this type, definition,
// and its Written is the text of the field source where that is given instead.
type ParsedDefinition struct {
	parser.ParsedDefinition
	// Given reports whether the request held a definition at all, sound or not.
	Given bool
}

// JSONSchema points at the schema of definitions, which is a document of its own.
func (ParsedDefinition) JSONSchema() map[string]any {
	return map[string]any{"description": "A workflow definition, as /schemas/definition.json describes it."}
}

// defines reports whether a body may hold a definition, and so be larger and in YAML.
func (b BodyRule) defines() bool { return b == BodyDefinition || b == BodyOptionalDefinition }

// Optional reports whether a body may be absent.
func (b BodyRule) Optional() bool { return b == BodyOptional || b == BodyOptionalDefinition }

// Defines reports whether a route's body may hold a definition.
func (r *Route) Defines() bool { return r.Body.defines() }

// decodeBody reads the body into q, a pointer to a struct. Duplicate keys, unknown fields and
// wrong types are refused with their place. An absent body leaves q as it is, where the route
// allows that. Errors: fault.Malformed invalid_request, fault.Unacceptable secret_in_text, and
// those of readBody.
func decodeBody(c *Call, q any) error {
	text, err := readBody(c)
	if err != nil {
		return err
	}
	if len(text) == 0 {
		if !c.Route.Body.Optional() && !c.Route.Tolerant { // whose handler says what is missing
			return Malformed("The request needs a JSON body.")
		}
		return nil
	}
	into := reflect.ValueOf(q).Elem()
	if c.Route.Body.defines() {
		return decodeDefinition(c, text, into)
	}
	// The scan bounds depth, sizes and digits, which encoding/json does not.
	if err := source.ScanJSON(text, source.RequestLimits()); err != nil {
		return err
	}
	return assignFields(c, text, into)
}

// decodeDefinition decodes an object with a definition, in JSON or YAML, or in YAML the bare
// definition. The memory that its values may take is reserved before it is parsed; see
// ReserveMemory.
func decodeDefinition(c *Call, text []byte, into reflect.Value) error {
	format := source.JSON
	if isYAML(c.Request) {
		format = source.YAML
	}
	weighed := format
	// The weight is estimated from the text, before it is parsed. A source may hold YAML.
	if bytes.Contains(text, []byte(`"source"`)) {
		weighed = source.YAML
	}
	if err := c.ReserveMemory(source.Weight(text, weighed)); err != nil {
		return err
	}
	req, found, err := parser.ParseRequest(text, format, c.Route.Names...)
	if err != nil {
		return err
	}
	if err := assignFields(c, req.Rest, into); err != nil {
		return err
	}
	if at, takes := c.Route.Fields["definition"]; takes {
		if d, ok := reflect.TypeAssert[*ParsedDefinition](into.FieldByIndex(at).Addr()); ok {
			*d = ParsedDefinition{parser.ParsedDefinition{Document: req.Document, Found: found, Written: req.Written}, req.Given}
		}
	}
	for name, part := range req.Parts {
		if d, ok := reflect.TypeAssert[*DefinitionPart](into.FieldByIndex(c.Route.Fields[name]).Addr()); ok {
			*d = DefinitionPart{ParsedDefinition{parser.ParsedDefinition{Document: part.Document, Found: part.Found, Written: part.Written}, part.Given}}
		}
	}
	return nil
}

// assignFields sets the fields of a struct from an object that was scanned already. Names are
// exact at every depth. Each field that is stored and shown is searched for the tenant's secrets
// as it is set.
func assignFields(c *Call, text []byte, into reflect.Value) error {
	var object map[string]json.RawMessage
	if err := json.Unmarshal(text, &object); err != nil || object == nil {
		return Malformed("The body must be a JSON object.")
	}
	// Before any field is set, so that a refused request has no effect on into.
	check := FieldCheck{Tolerant: c.Route.Tolerant}
	if err := check.named(object, into.Type(), c.Route.Fields, c.Route.Names, ""); err != nil {
		return err
	}
	for _, name := range c.Route.Names {
		value, given := object[name]
		if !given {
			continue
		}
		field := into.FieldByIndex(c.Route.Fields[name])
		if err := AssignField(name, value, field); err != nil {
			return err
		}
		if scannedForSecrets(into.Type().FieldByIndex(c.Route.Fields[name])) {
			if err := c.RefuseSecrets(name, value); err != nil {
				return err
			}
		}
	}
	return nil
}

// AssignField decodes value into field, which must be settable. name is the field's name in
// messages. A whole number with a fraction of zeros or an exponent, as some clients write counts,
// is accepted where an integer is wanted. Errors: fault.Malformed invalid_request in words of
// JSON, or the field's own *fault.Error.
func AssignField(name string, value json.RawMessage, field reflect.Value) error {
	err := json.Unmarshal(value, field.Addr().Interface())
	// encoding/json reports one such number at a time.
	for range maxWholes {
		plain, ok := withPlainNumber(value, err)
		if !ok {
			break
		}
		value = plain
		err = json.Unmarshal(value, field.Addr().Interface())
	}
	if err == nil {
		return nil
	}
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		path := name
		if wrong.Field != "" {
			path += "." + wrong.Field
		}
		return Malformed("%s must be %s, not %s.", path, wordFor(wrong.Type), wrong.Value)
	}
	// The field's own type knows better words than these.
	if own, ok := errors.AsType[*fault.Error](err); ok {
		return own
	}
	if _, ok := errors.AsType[*time.ParseError](err); ok {
		return Malformed("%s must be a time as in RFC 3339, such as 2026-03-01T08:00:00Z.", name)
	}
	if strings.HasPrefix(err.Error(), "json: ") {
		return Malformed("%s has the wrong form.", name)
	}
	return Malformed("%s: %s.", name, err)
}

// maxWholes is how many numbers of one field may be written as 3.0. It bounds how often a value
// is decoded.
const maxWholes = 64

// withPlainNumber returns a copy of value in which the number that an integer could not take is
// written without its fraction of zeros, or its exponent: {"max": 3.0} becomes {"max": 3}. err is
// that of decoding value, and says where the number stands. False: what is wrong is something
// else.
func withPlainNumber(value json.RawMessage, err error) (json.RawMessage, bool) {
	var wrong *json.UnmarshalTypeError
	if !errors.As(err, &wrong) || wrong.Type.Kind() == reflect.String || wrong.Offset > int64(len(value)) {
		return nil, false
	}
	text, isNumber := strings.CutPrefix(wrong.Value, "number ")
	start := int(wrong.Offset) - len(text)
	if !isNumber || start < 0 || string(value[start:wrong.Offset]) != text {
		return nil, false
	}
	number, ok := exactjson.Int(text)
	whole := strconv.FormatInt(number, 10)
	if !ok || whole == text {
		return nil, false
	}
	return slices.Concat(value[:start], []byte(whole), value[wrong.Offset:]), true
}

// wordFor returns the name of a Go type's JSON counterpart, for "must be …".
func wordFor(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice:
		return "a list"
	case reflect.Struct, reflect.Map:
		return "an object"
	case reflect.Float64:
		return "a number"
	}
	return "an integer"
}

// bodyLimit returns how many bytes the route's body may have.
func bodyLimit(c *Call) int {
	if c.Route.Body.defines() {
		return maxDefinitionBody
	}
	return maxBody
}

// readBody reads the whole body within the route's limit and keeps it in c.Body. An empty body is
// nil and needs no media type. Errors: fault.TooLarge body_too_large, without reading where the
// length is declared; fault.UnsupportedMedia; those of BodyError.
func readBody(c *Call) ([]byte, error) {
	limit := bodyLimit(c)
	if c.Request.ContentLength > int64(limit) {
		return nil, tooLarge(limit)
	}
	if c.Request.ContentLength == 0 {
		return nil, nil
	}
	text, err := readAll(http.MaxBytesReader(c.Writer, c.Request.Body, int64(limit)), c.Request.ContentLength)
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, tooLarge(limit)
	}
	if err != nil {
		return nil, BodyError(err)
	}
	if len(text) == 0 {
		return nil, nil
	}
	c.Body = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")) // a byte order mark says nothing in UTF-8
	return c.Body, checkMediaType(c)
}

// readAll reads r to its end. length is the declared one, for which one allocation is made; -1:
// not known. A body that is shorter than declared is an error.
func readAll(r io.Reader, length int64) ([]byte, error) {
	if length < 0 {
		return io.ReadAll(r)
	}
	text := make([]byte, length)
	_, err := io.ReadFull(r, text)
	return text, err
}

// tooLarge refuses a body of more than limit bytes: fault.TooLarge body_too_large.
func tooLarge(limit int) error {
	return fault.New(fault.TooLarge, "body_too_large", "The body is larger than %d bytes.", limit)
}

// checkMediaType accepts JSON, no media type at all, and YAML for definitions; a charset other
// than UTF-8 is refused. The error is fault.UnsupportedMedia unsupported_media_type.
func checkMediaType(c *Call) error {
	header := c.Request.Header.Get("Content-Type")
	if header == "" || header == "application/json" || isYAML(c.Request) && c.Route.Body.defines() {
		return nil
	}
	media, params, err := mime.ParseMediaType(header)
	charset := params["charset"]
	if err == nil && media == "application/json" && (charset == "" || strings.EqualFold(charset, "utf-8")) {
		return nil
	}
	accepted := "application/json"
	if c.Route.Body.defines() {
		accepted += " or application/yaml"
	}
	return fault.New(fault.UnsupportedMedia, "unsupported_media_type", "Send the body as %s, not %s.", accepted, Truncate(header))
}

// isYAML reports whether the body is declared as YAML: application/yaml (RFC 9512) or one of the
// two names that came before it.
func isYAML(r *http.Request) bool {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && isYAMLMedia(media)
}
