package ftp

// ReadReply reads one reply, as a client does (RFC 959 §4.2). A multi-line
// reply ends at the line that starts with the code of its first line and a
// space; other codes, short lines and empty ones before it are text. The same
// code with a hyphen is dropped from inner lines, since many servers repeat it.
//
// All lines together may hold up to limit bytes, line ends counted as one;
// beyond that the error is ErrReplyTooLong. A first line without a code is
// ErrSyntax. Other errors are those of ReadLine. After any error it is unknown
// where the next reply starts, and the connection is of no more use.
func ReadReply(l *LineReader, limit int) (Reply, error) {
	line, err := l.ReadLine()
	if err != nil {
		return Reply{}, err
	}
	limit -= len(line) + 1
	code, more, text, ok := cutCode(line)
	if !ok {
		return Reply{}, ErrSyntax
	}
	r := Reply{Code: code, Lines: []string{string(text)}}
	for more {
		if line, err = l.ReadLine(); err != nil {
			return Reply{}, err
		}
		if limit -= len(line) + 1; limit < 0 {
			return Reply{}, ErrReplyTooLong
		}
		if c, m, t, ok := cutCode(line); ok && c == code {
			line, more = t, m
		}
		r.Lines = append(r.Lines, string(line))
	}
	if limit < 0 {
		return Reply{}, ErrReplyTooLong
	}
	return r, nil
}

// cutCode splits "ddd text", "ddd-text" and a bare "ddd"; more is the hyphen.
func cutCode(line []byte) (code Code, more bool, text []byte, ok bool) {
	if len(line) < 3 || !isDigit(line[0]) || !isDigit(line[1]) || !isDigit(line[2]) {
		return 0, false, nil, false
	}
	code = Code(line[0]-'0')*100 + Code(line[1]-'0')*10 + Code(line[2]-'0')
	if len(line) == 3 {
		return code, false, nil, true
	}
	return code, line[3] == '-', line[4:], line[3] == '-' || line[3] == ' '
}
