package steps

import (
	"encoding/base64"
	"encoding/json"
	"heddle/fault"
	"net/http"
	"net/textproto"
	"slices"
	"strings"
)

// header returns the canonical name of the header that the credentials go into; "" for a
// nil receiver.
func (a *httpAuth) header() string {
	switch {
	case a == nil:
		return ""
	case a.Type == "header":
		return textproto.CanonicalMIMEHeaderKey(a.Name)
	default:
		return "Authorization"
	}
}

// set adds the credentials to a request; a nil receiver adds none. Its errors are the
// permanent failure invalid_config and never quote a credential.
func (a *httpAuth) set(req *http.Request) error {
	var err error
	switch {
	case a == nil:
	case a.Type == "bearer" && a.Token == "":
		return permanent("invalid_config", "auth.token is empty.")
	case a.Type == "bearer":
		_, err = setHeaders(req.Header, map[string]printed{"Authorization": "Bearer " + a.Token})
	case a.Type == "basic" && strings.Contains(string(a.Username), ":"):
		return permanent("invalid_config", "auth.username holds a colon, at which the receiver would end it (RFC 7617).")
	case a.Type == "basic":
		// RFC 7617. An empty password is allowed.
		both := string(a.Username) + ":" + string(a.Password)
		req.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(both)))
	case a.Type == "header" && a.Name != "" && a.Value != "":
		_, err = setHeaders(req.Header, map[string]printed{a.Name: a.Value})
	default:
		return permanent("invalid_config", "auth.type must be bearer, basic or header, and header needs a name and a value.")
	}
	return err
}

// fieldsOfAuth maps each type of auth to the fields that it takes.
var fieldsOfAuth = map[string][]string{"bearer": {"token"}, "basic": {"username", "password"}, "header": {"name", "value"}}

// anyAuth holds the fields of all types of auth.
var anyAuth = slices.Concat(fieldsOfAuth["bearer"], fieldsOfAuth["basic"], fieldsOfAuth["header"])

// isControl reports whether a character cannot stand in a header's value (RFC 9110,
// 5.5). It includes line breaks, which holdsLineBreak finds for a message of their own.
func isControl(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }

// checkAuth returns the diagnostics of auth: fields that its type needs and lacks,
// fields that it has and would not send, and values that no header can carry. What
// stands in templates is checked when the request is made (set).
func checkAuth(raw json.RawMessage) []fault.Issue {
	a, ok := readFields(raw)
	if !ok || len(a) == 0 {
		return nil
	}
	kind, _ := a.literal("type")
	var out []fault.Issue
	for _, name := range fieldsOfAuth[kind] {
		text, literal := a.literal(name)
		switch {
		case !a.has(name):
			out = append(out, problem("missing_field", "/auth", "auth of type %s needs %s", kind, name))
		case literal && text == "" && kind != "basic":
			out = append(out, problem("invalid_value", "/auth"+pointer(name), "%s is empty; leave auth out, or give a secret", name))
		}
		if text, _ := a.text(name); kind != "basic" && holdsLineBreak(outsideTemplates(text)) {
			out = append(out, problem("invalid_value", "/auth"+pointer(name), "%s holds a line break, and a header is one line", name))
		}
	}
	// Fields that no type of auth has are reported by the schema.
	if takes, known := fieldsOfAuth[kind]; known {
		for _, name := range sortedNames(a) {
			if name != "type" && !slices.Contains(takes, name) && slices.Contains(anyAuth, name) {
				out = append(out, problem("invalid_value", "/auth"+pointer(name), "auth of type %s does not take %s, which would not be sent; it takes %s", kind, name, strings.Join(takes, " and ")))
			}
		}
	}
	// A warning and not an error: a receiver may want the word twice.
	if token, _ := a.text("token"); kind == "bearer" && len(token) > 7 && strings.EqualFold(token[:7], "bearer ") {
		out = append(out, suggest(warning("invalid_value", "/auth/token", "token begins with Bearer, which type bearer writes itself; leave it out"), strings.TrimSpace(token[7:])))
	}
	if name, ok := a.literal("name"); ok && name != "" && kind == "header" && !holdsLineBreak(name) && (reservedHeader(name) || !validHeaderName(name)) {
		out = append(out, problem("invalid_value", "/auth/name", "%q is not a header that can be set", name))
	}
	// RFC 7617, 2: the first colon ends the user name.
	if user, _ := a.text("username"); kind == "basic" && strings.Contains(outsideTemplates(user), ":") {
		out = append(out, problem("invalid_value", "/auth/username", "a user name cannot hold a colon: the receiver ends it there (RFC 7617); what follows belongs into password"))
	}
	return out
}

// checkHeaders returns the diagnostics of headers as an author wrote them. What stands
// in templates is checked when the request is made (setHeaders).
func checkHeaders(raw json.RawMessage) []fault.Issue {
	h, ok := readFields(raw)
	if !ok {
		return nil
	}
	var out []fault.Issue
	seen := map[string]string{}
	for _, name := range sortedNames(h) {
		at, canonical := "/headers"+pointer(name), textproto.CanonicalMIMEHeaderKey(name)
		// Names are sorted, so the message is the same every time.
		first, twice := seen[canonical]
		if !twice {
			seen[canonical] = name
		}
		text, _ := h.text(name)
		switch {
		case templated(name):
		case reservedHeader(name):
			out = append(out, problem("invalid_value", at, "the header %s is set by the connection itself", name))
		case !validHeaderName(name):
			out = append(out, problem("invalid_value", at, "%q is not a header name", name))
		case twice:
			out = append(out, problem("invalid_value", at, "%s and %s are the same header, whose name knows no upper and lower case: keep one of them", first, name))
		case !holdsLineBreak(outsideTemplates(text)) && strings.ContainsFunc(outsideTemplates(text), isControl):
			out = append(out, problem("invalid_value", at, "the text of the header %s holds a control character, which no header can", name))
		case holdsLineBreak(outsideTemplates(text)):
			out = append(out, problem("invalid_value", at, "the text of the header %s holds a line break, and a header is one line (in YAML, write it behind the name, or after >- in place of | or >)", name))
		}
	}
	return out
}

// checkOverlaps returns the diagnostics of headers that auth or multipart sets too.
func checkOverlaps(c fields) []fault.Issue {
	h, ok := readFields(c["headers"])
	if !ok {
		return nil
	}
	// byAuth is the header that auth sets; "" without auth or where it is a template.
	byAuth := ""
	if a, ok := readFields(c["auth"]); ok && c.has("auth") {
		kind, _ := a.literal("type")
		name, _ := a.literal("name")
		byAuth = map[string]string{"bearer": "Authorization", "basic": "Authorization", "header": textproto.CanonicalMIMEHeaderKey(name)}[kind]
	}
	var out []fault.Issue
	for _, name := range sortedNames(h) {
		if text, literal := h.literal(name); literal && text == "" || !h.has(name) {
			continue // it leaves the header out
		}
		switch canonical := textproto.CanonicalMIMEHeaderKey(name); {
		case canonical == byAuth && name != "":
			out = append(out, problem("invalid_value", "/headers"+pointer(name), "auth sets the header %s too: keep one of them", canonical))
		case canonical == "Content-Type" && c.has("multipart"):
			out = append(out, problem("invalid_value", "/headers"+pointer(name), "multipart sets Content-Type itself, with the boundary of its parts; leave the header out"))
		}
	}
	return out
}

// holdsLineBreak reports whether a text has more than one line. In a header, what
// follows the break would be another header.
func holdsLineBreak(s string) bool { return strings.ContainsAny(s, "\r\n") }

// outsideTemplates returns what of a text stands outside of {{ }}. A {{ that does not
// end takes the rest.
func outsideTemplates(s string) string {
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(s, "{{")
		out.WriteString(before)
		if !found {
			return out.String()
		}
		_, s, _ = strings.Cut(rest, "}}")
	}
}
