// Testtool is what runs in the pods of tests: a pod sandbox's process and a small web server, with
// nothing but the standard library, so that its image is one static file.
package main

import (
	"crypto/tls"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"sort"
	"strings"
	"syscall"
	"time"
)

const usage = `usage: testtool COMMAND [flags]

  pause                 waits for a signal and reaps orphans: the process of a pod sandbox
  web                   serves, on --listen (default :8080):
      /                 the host's name
      /healthz          200
      /readyz           503 until --ready-after has passed, then 200
      /env              the environment, sorted, one variable a line
      /file?path=PATH   a file
      /headers          the request's headers as JSON
      /get?url=URL      what a GET from inside this container answers
  get URL               GET; exit code 1 unless the answer is 2xx
  env                   prints the environment
`

func main() {
	if len(os.Args) < 2 {
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	}
	var err error
	switch arguments := os.Args[2:]; os.Args[1] {
	case "pause":
		pause()
	case "web":
		err = web(arguments)
	case "get":
		err = get(arguments, os.Stdout)
	case "env":
		_, err = fmt.Println(environment())
	default:
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "testtool:", err)
		os.Exit(1)
	}
}

func pause() {
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGCHLD)
	for received := range signals {
		if received != syscall.SIGCHLD {
			return
		}
		for {
			if child, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil); child <= 0 || err != nil {
				break
			}
		}
	}
}

func environment() string {
	variables := os.Environ()
	sort.Strings(variables)
	return strings.Join(variables, "\n")
}

// client does not check certificates: tests look at who answers, not at who signed.
func client() *http.Client {
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	return &http.Client{Timeout: 10 * time.Second, Transport: transport}
}

func get(arguments []string, out io.Writer) error {
	if len(arguments) != 1 {
		return fmt.Errorf("get takes one URL")
	}
	response, err := client().Get(arguments[0])
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(out, response.Body); err != nil {
		return err
	}
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("%s answered %s", arguments[0], response.Status)
	}
	return nil
}

func web(arguments []string) error {
	flags := flag.NewFlagSet("web", flag.ExitOnError)
	listen := flags.String("listen", ":8080", "address")
	readyAfter := flags.Duration("ready-after", 0, "how long /readyz answers 503")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		fmt.Println("web: ended by", <-signals)
		os.Exit(0)
	}()
	fmt.Println("web: listening on", *listen)
	return http.ListenAndServe(*listen, handler(time.Now().Add(*readyAfter)))
}

func handler(readyAt time.Time) http.Handler {
	host, _ := os.Hostname()
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, host) })
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("/readyz", func(w http.ResponseWriter, _ *http.Request) {
		if wait := time.Until(readyAt); wait > 0 {
			http.Error(w, fmt.Sprintf("ready in %s", wait), http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ok")
	})
	mux.HandleFunc("/env", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, environment()) })
	mux.HandleFunc("/headers", func(w http.ResponseWriter, r *http.Request) {
		_ = json.NewEncoder(w).Encode(r.Header)
	})
	mux.HandleFunc("/file", func(w http.ResponseWriter, r *http.Request) {
		content, err := os.ReadFile(r.URL.Query().Get("path"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusNotFound)
			return
		}
		_, _ = w.Write(content)
	})
	mux.HandleFunc("/get", func(w http.ResponseWriter, r *http.Request) {
		if err := get([]string{r.URL.Query().Get("url")}, w); err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
		}
	})
	return mux
}
