package executor

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"heddle/definitions"
	"heddle/events"
	"heddle/executor/machine"
	"heddle/internal/exactjson"
	regexp "heddle/internal/lazyregexp"
	"strings"
)

// RenderedInput is the config of an attempt as its templates rendered it, without secrets.
// It is stored with the end of the attempt, beside the journal: nothing that a run does
// depends on it.
type RenderedInput struct {
	Ref     machine.Ref
	Attempt int
	Input   json.RawMessage // above maxRendered the reference of a blob
	Blob    string          // what PutBlob has written for it and no commit has named yet; "": nothing
}

// KeptInput is the rendered input of the attempts First to Last of a step, which follow one
// another and had the same.
type KeptInput struct {
	First, Last int
	Input       json.RawMessage
}

// MaxRenderedInputs is how many different inputs of one step are read at most, the newest.
const MaxRenderedInputs = 64

// maxRendered is up to which size a rendered input is stored as it is, in bytes.
const maxRendered = 64 << 10

// keptInput is a rendered input on its way to the commit. blob is what was stored for it and
// no commit has named yet; "": nothing.
type keptInput struct {
	input json.RawMessage
	blob  string
}

// blobs returns the id of the input's blob, as a list. It may be called on nil.
func (k *keptInput) blobs() []string {
	if k == nil || k.blob == "" {
		return nil
	}
	return []string{k.blob}
}

// retains reports whether the rendered input of an attempt that ended so is kept. An attempt
// that was stopped is one that did not succeed.
func retains(retain string, failure *machine.Failure) bool {
	return retain == definitions.RetainAll || retain == definitions.RetainFailed && failure != nil
}

// renderedInput returns what is kept of an attempt's config; nil: nothing. The redactors take
// out every secret of the tenant, then go the pieces of those that went into the config, as
// in an error, and then what has the name of a credential.
func renderedInput(call Call, config json.RawMessage, failure *machine.Failure, redactors ...func(json.RawMessage) json.RawMessage) json.RawMessage {
	if len(config) == 0 || !retains(call.retain, failure) {
		return nil
	}
	config = withoutAny(config, redactors...)
	m := inputMask{}
	if call.secrets != nil && len(call.secrets.values) > 0 {
		m.pieces = call.secrets.pieces()
	}
	return m.value(make([]byte, 0, len(config)), config[exactjson.SkipSpace(config, 0):], false)
}

// inputMask masks credentials in a rendered config.
type inputMask struct {
	pieces map[piece]bool // nil: no secret went into it
}

// value appends a JSON value with its credentials masked. With all every text and number in
// it is one.
func (m inputMask) value(dst, value []byte, all bool) []byte {
	switch value[0] {
	case '{':
		return m.object(dst, value, all)
	case '[':
		dst = append(dst, '[')
		n := len(dst)
		for p := exactjson.PartsOf(value); p.Next(); {
			if len(dst) > n {
				dst = append(dst, ',')
			}
			dst = m.value(dst, p.Value(), all)
		}
		return append(dst, ']')
	case 't', 'f', 'n':
		return append(dst, value...)
	}
	if all {
		return append(dst, `"***"`...)
	}
	if value[0] != '"' {
		if m.text(string(value)) != string(value) {
			return append(dst, `"***"`...)
		}
		return append(dst, value...)
	}
	return exactjson.AppendString(dst, m.text(exactjson.Unquote(value)))
}

// object appends an object. A member is masked as a whole by its own name, and value by the
// text of name beside it, as in a part of a form, or because both are the header of auth.
func (m inputMask) object(dst, object []byte, all bool) []byte {
	named := false
	for p := exactjson.PartsOf(object); p.Next(); {
		if p.Value()[0] != '"' {
			continue
		}
		switch text := exactjson.Unquote(p.Value()); exactjson.Unquote(p.Name) {
		case "name":
			named = named || credential(text)
		case "type":
			named = named || text == "header"
		}
	}
	dst = append(dst, '{')
	n := len(dst)
	for p := exactjson.PartsOf(object); p.Next(); {
		if len(dst) > n {
			dst = append(dst, ',')
		}
		name := exactjson.Unquote(p.Name)
		dst = append(exactjson.AppendString(dst, name), ':')
		dst = m.value(dst, p.Value(), all || credential(name) || named && name == "value")
	}
	return append(dst, '}')
}

// inURL finds what a text's addresses have of credentials: user and password, and parameters
// with such names.
var (
	userInURL      = regexp.MustCompile(`://[^/?#@\s"]+@`)
	parameterInURL = regexp.MustCompile(`(?i)([?&][^=&#\s]*(?:authorization|password|passwd|secret|token|api[-_]?key|access[-_]?key|signature)=)[^&#\s"]+`)
)

// text masks a text. Where the pieces of a secret could be, in what an expression made, it is
// below MaxInline: only a whole value of another step is longer.
func (m inputMask) text(text string) string {
	if len(m.pieces) > 0 && len(text) <= MaxInline {
		text = without(text, m.pieces)
	}
	if strings.Contains(text, "PRIVATE KEY-----") {
		return "***"
	}
	if strings.Contains(text, "://") {
		text = userInURL.ReplaceAllString(text, "://***@")
	}
	if strings.ContainsAny(text, "?&") {
		text = parameterInURL.ReplaceAllString(text, "${1}***")
	}
	return text
}

// credentialNames are how names of headers, fields and parameters end that hold credentials,
// in lower case without hyphens, underscores and dots.
var credentialNames = []string{
	"authorization", "cookie", "password", "passwd", "passphrase", "secret", "token", "apikey", "accesskey", "secretkey", "privatekey",
	"clientkey", "credential", "credentials", "signature",
}

// withoutPunctuation makes names comparable with credentialNames.
var withoutPunctuation = strings.NewReplacer("-", "", "_", "", ".", "", " ", "")

// credential reports whether a name is that of a credential: Authorization, X-Api-Key,
// client_secret.
func credential(name string) bool {
	name = withoutPunctuation.Replace(strings.ToLower(name))
	for _, end := range credentialNames {
		if strings.HasSuffix(name, end) {
			return true
		}
	}
	return false
}

// storeRendered stores a rendered input as a blob where it is too large to be stored as it
// is. Nil: there is none, the run has as many inputs stored apart as it may, or the store did
// not take it: the end of an attempt does not wait for that.
func (v *largeValues) storeRendered(call Call, input json.RawMessage) *keptInput {
	switch {
	case input == nil:
		return nil
	case len(input) <= maxRendered:
		return &keptInput{input: input}
	case v.blobs == nil || len(input) > MaxBlob:
		return nil
	}
	sum := sha256.Sum256(input)
	b := Blob{
		TenantID: call.TenantID, RunID: call.RunID, Size: int64(len(input)), SHA256: hex.EncodeToString(sum[:]), ContentType: jsonType, Input: true,
	}
	same, err := v.reserve(&b)
	if err == nil && !same {
		if err = v.blobs.PutBlob(context.Background(), b, input); err != nil {
			v.forget([]string{b.ID})
		}
	}
	if err != nil {
		v.cfg.Log.Debug("a rendered input is not kept", "run_id", call.RunID, "step_id", call.StepID, "error", err)
		return nil
	}
	kept := &keptInput{input: machine.FormatReference(b.ID, b.Size, b.SHA256, b.ContentType)}
	if !same {
		kept.blob = b.ID
		v.cfg.Stored.Add(call.TenantID, b.Size)
	}
	return kept
}

// endedInputs returns the rendered inputs of those attempts whose ends are among the events of
// a change.
func endedInputs(change machine.Change, messages []message) []RenderedInput {
	var list []RenderedInput
	for _, m := range messages {
		end, ended := m.input.(machine.StepEnded)
		if m.rendered != nil && ended && ends(change.Events, end) {
			list = append(list, RenderedInput{end.Ref, end.Attempt, m.rendered.input, m.rendered.blob})
		}
	}
	return list
}

// ends reports whether one of the events is the end of an attempt. Without it the end had no
// effect, as that of a step that was cancelled meanwhile.
func ends(list []events.Event, end machine.StepEnded) bool {
	for i := range list {
		e := &list[i]
		if e.StepID != end.Ref.StepID || e.Iteration != end.Ref.Iteration || e.Attempt != end.Attempt {
			continue
		}
		switch e.Kind {
		case events.StepCompleted, events.StepFailed, events.StepRetrying, events.StepCancelled:
			return true
		default:
		}
	}
	return false
}
