package machine

import (
	"encoding/json"
	"heddle/internal/exactjson"
	"testing"
)

// A count is a count however it is written: loop.items, and what may fail.
func TestCounts(t *testing.T) {
	t.Parallel()
	for written, want := range map[string]int{
		"0": 0, "3": 3, "3.0": 3, "0.0": 0, "-0": 0, "3e0": 3, "30e-1": 3, "1E2": 100, "2147483647.000": 2147483647, "0e999999999": 0,
		"3.5": -1, "-1": -1, "-1.0": -1, "2147483648": -1, "1e999999999": -1, "1e-999999999": -1, "2.99999999999999999999": -1,
		"0.99999999999999999999": -1, "null": -1, `"3"`: -1, "true": -1, "": -1,
	} {
		n, ok := exactjson.Count(written)
		if ok != (want >= 0) || ok && n != want {
			t.Errorf("%s is %d, %v; want %d", written, n, ok, want)
		}
		list, err := countItems(json.RawMessage(written))
		if (err == nil) != (want >= 0) || err == nil && list.n != want {
			t.Errorf("items: %s gives %v, %v; want %d", written, list, err, want)
		}
	}
}
