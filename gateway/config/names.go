package config

import "fmt"

// nearest returns the name that given is probably a slip of, or "".
func nearest(given string, names []string) string {
	best, limit := "", max(2, len(given)/3)+1
	for _, n := range names {
		if d := distance(given, n); d < limit {
			best, limit = n, d
		}
	}
	return best
}

// didYouMean is a sentence with the nearest name, to be put after another.
func didYouMean(given string, names []string) string {
	if n := nearest(given, names); n != "" {
		return fmt.Sprintf(" Did you mean %q?", n)
	}
	return ""
}

// distance is how many bytes must be inserted, dropped or replaced to make b of a.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			d := min(row[j]+1, row[j+1]+1)
			if a[i] == b[j] {
				d = min(d, diagonal)
			} else {
				d = min(d, diagonal+1)
			}
			diagonal, row[j+1] = row[j+1], d
		}
	}
	return row[len(b)]
}
