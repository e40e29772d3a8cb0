package response

import (
	"compress/gzip"
	"io"
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/body"
)

// MostBody is how many bytes of a body, decoded, are looked at.
const MostBody = 64 << 10

// MostRaw is how many bytes of a compressed body are read for that: more than MostBody, as what does not compress grows by the framing
// of gzip, and a bound, as gzip can go on for ever without giving a byte.
const MostRaw = 2 * MostBody

// peek reads the beginning of src, for no longer than body.TextTime: what comes later is the caller's to wait for. What it returns in the
// place of src gives the same bytes and the same error as src would have given.
func peek(src io.ReadCloser, gzipped bool) (text []byte, whole bool, same io.ReadCloser) {
	r := &peekReader{src: src, until: time.Now().Add(body.TextTime)}
	if gzipped {
		text, whole = inflate(r)
	} else {
		io.Copy(io.Discard, io.LimitReader(r, MostBody+1)) // its error is r.err
		whole = r.err == io.EOF
		text = r.read[:min(len(r.read), MostBody):min(len(r.read), MostBody)]
	}
	if text == nil && whole {
		text = []byte{}
	}
	return text, whole, &peekedBody{left: r.read, err: r.err, body: src}
}

// inflate returns the decoded beginning, and nothing where r holds no gzip.
func inflate(r *peekReader) (text []byte, whole bool) {
	z, err := gzip.NewReader(io.LimitReader(r, MostRaw))
	if err != nil {
		return nil, false
	}
	text, err = io.ReadAll(io.LimitReader(z, MostBody+1))
	whole = err == nil && len(text) <= MostBody
	return text[:min(len(text), MostBody)], whole
}

// peekReader keeps what is read through it, and the error that ended it.
type peekReader struct {
	src   io.Reader
	until time.Time // then it reads no more
	read  []byte
	err   error
}

func (r *peekReader) Read(p []byte) (int, error) {
	if r.err != nil {
		return 0, r.err
	}
	if !time.Now().Before(r.until) {
		return 0, &body.SlowError{Limit: body.TextTime} // not in err: the body goes on
	}
	n, err := r.src.Read(p)
	r.read = append(r.read, p[:n]...)
	r.err = err
	return n, err
}

// peekedBody gives what was read ahead, then the error that was met there, or else the rest of body. Close does not
// touch what Read uses: the two may be called at the same time.
type peekedBody struct {
	left []byte
	err  error
	body io.ReadCloser
}

func (r *peekedBody) Read(p []byte) (int, error) {
	if len(r.left) > 0 {
		n := copy(p, r.left)
		if r.left = r.left[n:]; len(r.left) == 0 {
			r.left = nil // frees the memory while a long body goes on
		}
		return n, nil
	}
	if r.err != nil {
		return 0, r.err
	}
	return r.body.Read(p)
}

func (r *peekedBody) Close() error { return r.body.Close() }
