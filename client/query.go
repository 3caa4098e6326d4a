package client

import (
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// queryOf returns the query string of a struct: a parameter for each field with a tag query that
// is not zero. A list is joined by commas; of a map, whose tag ends in a dot, each entry is one
// parameter. A field of a struct type without a tag adds its own fields.
func queryOf(q any) url.Values {
	values := url.Values{}
	addQuery(values, reflect.ValueOf(q))
	return values
}

func addQuery(values url.Values, v reflect.Value) {
	for i := range v.NumField() {
		f, name := v.Field(i), v.Type().Field(i).Tag.Get("query")
		if name == "" {
			addQuery(values, f)
			continue
		}
		if f.IsZero() {
			continue
		}
		switch value := f.Interface().(type) {
		case string:
			values.Set(name, value)
		case int:
			values.Set(name, strconv.Itoa(value))
		case bool:
			values.Set(name, strconv.FormatBool(value))
		case *int:
			values.Set(name, strconv.Itoa(*value))
		case *bool:
			values.Set(name, strconv.FormatBool(*value))
		case float64:
			values.Set(name, strconv.FormatFloat(value, 'f', -1, 64))
		case time.Time:
			values.Set(name, value.Format(time.RFC3339Nano))
		case []string:
			if len(value) > 0 {
				values.Set(name, strings.Join(value, ","))
			}
		case map[string]string:
			for key, text := range value {
				values.Set(name+key, text)
			}
		default:
			panic("client: a query parameter of the type " + f.Type().String()) // a mistake in this package
		}
	}
}

// pathOf fills in the parameters of a path, in their order, escaped.
func pathOf(pattern string, params ...string) string {
	var b strings.Builder
	for _, param := range params {
		before, rest, _ := strings.Cut(pattern, "{")
		_, after, _ := strings.Cut(rest, "}")
		b.WriteString(before)
		b.WriteString(url.PathEscape(param))
		pattern = after
	}
	b.WriteString(pattern)
	return b.String()
}
