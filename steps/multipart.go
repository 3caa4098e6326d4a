package steps

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"mime"
	"mime/multipart"
	"net/textproto"
	"strings"
)

// formPart is one part of a multipart/form-data body (RFC 7578).
type formPart struct {
	Name        string          `json:"name" minLength:"1" doc:"The field's name."`
	Value       json.RawMessage `json:"value" doc:"Text, {\"$base64\": …} for bytes, or any other JSON, which is sent as JSON."`
	Filename    printed         `json:"filename,omitempty" doc:"Makes the part a file."`
	ContentType printed         `json:"content_type,omitempty" doc:"Without it application/json for JSON, application/octet-stream for other files, none for text."`
}

// multipartBody returns the parts as a body and the Content-Type with its boundary. The
// same parts yield the same bytes, so that every attempt sends the same. Its errors are
// the permanent failure invalid_config.
func multipartBody(parts []formPart) (body []byte, contentType string, err error) {
	var out bytes.Buffer
	w := multipart.NewWriter(&out)
	// multipart.Writer would draw a random one.
	if err := w.SetBoundary(boundaryOf(parts)); err != nil {
		return nil, "", permanent("invalid_config", "The parts of multipart cannot be sent.")
	}
	for i, p := range parts {
		// A message names the part by its position, since two parts may have one name.
		data, kind, err := p.content()
		if err != nil {
			return nil, "", permanent("invalid_config", "multipart[%d].value is not usable: %s.", i, err)
		}
		header := textproto.MIMEHeader{"Content-Disposition": {p.disposition()}}
		if kind != "" {
			if _, _, err := mime.ParseMediaType(kind); err != nil {
				return nil, "", permanent("invalid_config", "multipart[%d].content_type is not a media type.", i)
			}
			header.Set("Content-Type", kind)
		}
		// A buffer takes everything.
		part, _ := w.CreatePart(header)
		_, _ = part.Write(data)
	}
	_ = w.Close()
	return out.Bytes(), w.FormDataContentType(), nil
}

// content returns a part's bytes and media type; "" for text without a file name.
func (p formPart) content() (data []byte, kind string, err error) {
	var raw rawBody
	if err := raw.UnmarshalJSON(p.Value); err != nil {
		return nil, "", err
	}
	value := bytes.TrimSpace(p.Value)
	switch {
	case p.ContentType != "":
		kind = string(p.ContentType)
	// A JSON value that is neither text nor bytes is sent as JSON.
	case len(value) > 0 && value[0] != '"' && !isBytes(value):
		kind = "application/json"
	case p.Filename != "":
		kind = "application/octet-stream"
	}
	return raw.data, kind, nil
}

// isBytes reports whether a value is {"$base64": …}.
func isBytes(value json.RawMessage) bool {
	_, binary, err := readBase64(value)
	return binary && err == nil
}

// readBase64 returns the bytes of {"$base64": …} (RFC 4648, section 4); false for every
// other value. The error says that the member is not base64.
func readBase64(value json.RawMessage) (data []byte, binary bool, err error) {
	var bin struct {
		Data json.RawMessage `json:"$base64"`
	}
	// Another kind of value, and an object without the member.
	if json.Unmarshal(value, &bin) != nil || bin.Data == nil {
		return nil, false, nil
	}
	if string(bin.Data) == "null" || json.Unmarshal(bin.Data, &data) != nil {
		return nil, true, errors.New("$base64 must be base64 with padding, as in \"aGVsbG8=\"")
	}
	return data, true, nil
}

// disposition returns the part's Content-Disposition, with names escaped as browsers do
// it (HTML, multipart/form-data), so that a name cannot end the header.
func (p formPart) disposition() string {
	// Only what would end the quotes or the line is escaped; other characters are UTF-8.
	escape := strings.NewReplacer("\r", "%0D", "\n", "%0A", `"`, "%22").Replace
	text := `form-data; name="` + escape(p.Name) + `"`
	if p.Filename != "" {
		text += `; filename="` + escape(string(p.Filename)) + `"`
	}
	return text
}

// boundaryOf returns a boundary that the parts do not contain. It is a hash of all of
// them, so no part can hold it but by chance.
func boundaryOf(parts []formPart) string {
	h := sha256.New()
	for _, p := range parts {
		// Hashed one by one, so that the borders between the texts count.
		for _, text := range []string{p.Name, string(p.Filename), string(p.ContentType), string(p.Value)} {
			sum := sha256.Sum256([]byte(text))
			h.Write(sum[:])
		}
	}
	return "heddle-" + hex.EncodeToString(h.Sum(nil)[:16])
}
