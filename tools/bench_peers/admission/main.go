// Command admission does what a mutating webhook in Go does with a pod, over and over, and says what
// it costs: decode into corev1.Pod, add, marshal, diff the two documents into a JSON Patch (as
// controller-runtime's PatchResponseFromRaw does), marshal that.
//
//	admission -pod pod.json -injected injected.json -seconds 1 -runs 5
//
// What is added is taken from -injected, the pod as the C++ operator made it, before the clock runs:
// the peer copies it and works nothing out, which is in its favour. Prints one JSON object:
// {"cpu_us":[...],"latency_p99_us":[...],"latency_p50_us":[...],"patch_bytes":n,"operations":n}.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"syscall"
	"time"

	"gomodules.xyz/jsonpatch/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
)

type result struct {
	CPU        []float64 `json:"cpu_us"`
	P50        []float64 `json:"latency_p50_us"`
	P99        []float64 `json:"latency_p99_us"`
	PatchBytes int       `json:"patch_bytes"`
	Operations int       `json:"operations"`
}

// additions are what injection put into the pod, by container where it is a container's.
type additions struct {
	env            map[string][]corev1.EnvVar
	mounts         map[string][]corev1.VolumeMount
	initContainers []corev1.Container
	containers     []corev1.Container
	volumes        []corev1.Volume
	annotations    map[string]string
}

func main() {
	podFile := flag.String("pod", "", "the pod as its author wrote it")
	injectedFile := flag.String("injected", "", "the pod as the operator made it")
	seconds := flag.Float64("seconds", 1, "how long each run lasts")
	runs := flag.Int("runs", 5, "how many runs")
	flag.Parse()
	if err := measure(*podFile, *injectedFile, *seconds, *runs); err != nil {
		fmt.Fprintln(os.Stderr, "admission:", err)
		os.Exit(1)
	}
}

func measure(podFile, injectedFile string, seconds float64, runs int) error {
	raw, err := os.ReadFile(podFile)
	if err != nil {
		return err
	}
	injected, err := os.ReadFile(injectedFile)
	if err != nil {
		return err
	}
	decoder, err := podDecoder()
	if err != nil {
		return err
	}
	before, err := decode(decoder, raw)
	if err != nil {
		return fmt.Errorf("%s: %w", podFile, err)
	}
	after, err := decode(decoder, injected)
	if err != nil {
		return fmt.Errorf("%s: %w", injectedFile, err)
	}
	added := difference(before, after)

	var report result
	for range runs {
		cpu, latencies, patch, err := run(decoder, raw, added, seconds)
		if err != nil {
			return err
		}
		slices.Sort(latencies)
		report.CPU = append(report.CPU, cpu)
		report.P50 = append(report.P50, latencies[len(latencies)/2])
		report.P99 = append(report.P99, latencies[len(latencies)*99/100])
		report.PatchBytes = len(patch)
		var operations []any
		if err := json.Unmarshal(patch, &operations); err != nil {
			return err
		}
		report.Operations = len(operations)
	}
	return json.NewEncoder(os.Stdout).Encode(report)
}

// run mutates for that long; it returns CPU and latencies of one mutation in microseconds.
func run(decoder runtime.Decoder, raw []byte, added additions, seconds float64) (float64, []float64, []byte, error) {
	var latencies []float64
	var patch []byte
	start := time.Now()
	cpuBefore := cpuMicroseconds()
	for time.Since(start).Seconds() < seconds {
		begin := time.Now()
		var err error
		if patch, err = mutate(decoder, raw, added); err != nil {
			return 0, nil, nil, err
		}
		latencies = append(latencies, float64(time.Since(begin).Nanoseconds())/1000)
	}
	cpu := (cpuMicroseconds() - cpuBefore) / float64(len(latencies))
	return cpu, latencies, patch, nil
}

func mutate(decoder runtime.Decoder, raw []byte, added additions) ([]byte, error) {
	pod, err := decode(decoder, raw)
	if err != nil {
		return nil, err
	}
	added.apply(pod)
	marshaled, err := json.Marshal(pod)
	if err != nil {
		return nil, err
	}
	operations, err := jsonpatch.CreatePatch(raw, marshaled)
	if err != nil {
		return nil, err
	}
	return json.Marshal(operations)
}

func (a additions) apply(pod *corev1.Pod) {
	extend := func(list []corev1.Container) {
		for i := range list {
			list[i].Env = append(list[i].Env, a.env[list[i].Name]...)
			list[i].VolumeMounts = append(list[i].VolumeMounts, a.mounts[list[i].Name]...)
		}
	}
	extend(pod.Spec.InitContainers)
	extend(pod.Spec.Containers)
	pod.Spec.InitContainers = slices.Concat(a.initContainers, pod.Spec.InitContainers)
	pod.Spec.Containers = append(pod.Spec.Containers, a.containers...)
	pod.Spec.Volumes = append(pod.Spec.Volumes, a.volumes...)
	if pod.Annotations == nil {
		pod.Annotations = map[string]string{}
	}
	for key, value := range a.annotations {
		pod.Annotations[key] = value
	}
}

func difference(before, after *corev1.Pod) additions {
	added := additions{
		env:         map[string][]corev1.EnvVar{},
		mounts:      map[string][]corev1.VolumeMount{},
		annotations: map[string]string{},
	}
	added.initContainers = newContainers(before.Spec.InitContainers, after.Spec.InitContainers, added)
	added.containers = newContainers(before.Spec.Containers, after.Spec.Containers, added)
	for _, volume := range after.Spec.Volumes {
		same := func(v corev1.Volume) bool { return v.Name == volume.Name }
		if !slices.ContainsFunc(before.Spec.Volumes, same) {
			added.volumes = append(added.volumes, volume)
		}
	}
	for key, value := range after.Annotations {
		if _, was := before.Annotations[key]; !was {
			added.annotations[key] = value
		}
	}
	return added
}

// newContainers returns those of after that before has not, and notes what the others gained.
func newContainers(before, after []corev1.Container, added additions) []corev1.Container {
	var fresh []corev1.Container
	for _, container := range after {
		i := slices.IndexFunc(before, func(c corev1.Container) bool { return c.Name == container.Name })
		if i < 0 {
			fresh = append(fresh, container)
			continue
		}
		names := map[string]bool{}
		for _, variable := range before[i].Env {
			names[variable.Name] = true
		}
		for _, variable := range container.Env {
			if !names[variable.Name] {
				added.env[container.Name] = append(added.env[container.Name], variable)
			}
		}
		added.mounts[container.Name] = container.VolumeMounts[len(before[i].VolumeMounts):]
	}
	return fresh
}

func podDecoder() (runtime.Decoder, error) {
	scheme := runtime.NewScheme()
	if err := corev1.AddToScheme(scheme); err != nil {
		return nil, err
	}
	return serializer.NewCodecFactory(scheme).UniversalDeserializer(), nil
}

func decode(decoder runtime.Decoder, raw []byte) (*corev1.Pod, error) {
	pod := &corev1.Pod{}
	_, _, err := decoder.Decode(raw, nil, pod)
	return pod, err
}

func cpuMicroseconds() float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	of := func(t syscall.Timeval) float64 { return float64(t.Sec)*1e6 + float64(t.Usec) }
	return of(usage.Utime) + of(usage.Stime)
}
