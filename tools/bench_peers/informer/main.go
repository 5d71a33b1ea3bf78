// Command informer does what a Go operator does with pods: a client-go shared informer with its typed
// cache, filled from a cluster. It says how long that took and what it keeps in memory.
//
//	informer -kubeconfig admin.conf -pods 10000
//
// Prints one JSON object: {"seconds":n,"cpu_seconds":n,"retained_bytes":n,"rss_bytes":n,
// "peak_rss_bytes":n}. retained_bytes is the live heap after a collection, less what was live before
// the informer began.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"

	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
)

type result struct {
	Seconds  float64 `json:"seconds"`
	CPU      float64 `json:"cpu_seconds"`
	Retained uint64  `json:"retained_bytes"`
	RSS      uint64  `json:"rss_bytes"`
	PeakRSS  uint64  `json:"peak_rss_bytes"`
}

func liveHeap() uint64 {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

func cpuSeconds() float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return float64(usage.Utime.Sec+usage.Stime.Sec) + float64(usage.Utime.Usec+usage.Stime.Usec)/1e6
}

// memory reads a line of /proc/self/status, such as "VmRSS:   1234 kB".
func memory(key string) uint64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for _, line := range strings.Split(string(text), "\n") {
		fields := strings.Fields(line)
		if len(fields) == 3 && fields[0] == key+":" {
			kib, _ := strconv.ParseUint(fields[1], 10, 64)
			return kib * 1024
		}
	}
	return 0
}

func run() error {
	kubeconfig := flag.String("kubeconfig", "", "how to reach the cluster")
	pods := flag.Int("pods", 0, "how many pods must be there at the end")
	flag.Parse()
	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err != nil {
		return err
	}
	config.QPS = -1
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	before, cpu, start := liveHeap(), cpuSeconds(), time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	informer := informers.NewSharedInformerFactory(client, 0).Core().V1().Pods().Informer()
	go informer.Run(ctx.Done())
	if !cache.WaitForCacheSync(ctx.Done(), informer.HasSynced) {
		return fmt.Errorf("the cache did not sync")
	}
	out := result{Seconds: time.Since(start).Seconds(), CPU: cpuSeconds() - cpu, PeakRSS: memory("VmHWM")}
	if found := len(informer.GetStore().ListKeys()); found != *pods {
		return fmt.Errorf("the cache has %d pods, not %d", found, *pods)
	}
	out.Retained = liveHeap() - before
	debug.FreeOSMemory()
	out.RSS = memory("VmRSS")
	runtime.KeepAlive(informer)
	return json.NewEncoder(os.Stdout).Encode(out)
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "informer:", err)
		os.Exit(1)
	}
}
