using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using LLama.Native;
using Tamx.Llama.Interop;

namespace Tamx.Llama.Capture;

/// <summary>A tensor of a layer, by llama.cpp's name for it. Every layer has the first.</summary>
internal enum LayerTensor
{
    /// <summary><c>l_out-K</c>: the residual stream after layer K [tokens, hidden size].</summary>
    Residual,

    /// <summary>
    /// <c>ffn_inp-K</c>, in hybrids <c>attn_residual-K</c>: the residual stream after the layer's attention [tokens,
    /// hidden size].
    /// </summary>
    AttentionResidual,

    /// <summary><c>Vcur-K</c>: the values [tokens, KV heads x head size].</summary>
    Values,

    /// <summary><c>kq_soft_max-K</c>: the attention weights [heads, tokens, columns of the cache].</summary>
    Attention,

    /// <summary>
    /// <c>gate_sigmoid-K</c>: what a hybrid's heads multiply by what they read [tokens, heads x head size].
    /// </summary>
    Gate,
}

/// <summary>
/// Copies the hidden states after the final norm out of a model's graph, straight into the caller's rows, while the
/// graph is computed; and what else is wanted of its layers. It can end the graph there, before the product with the
/// output embedding.
/// </summary>
/// <remarks>
/// With llama.cpp's embeddings output on, every token of a decode has a row, in token order. The callback's state lies
/// in native memory: a native thread touches no managed object.
/// </remarks>
internal sealed unsafe class GraphCapture : IDisposable
{
    private static readonly int TensorKinds = Enum.GetValues<LayerTensor>().Length;

    private readonly UnmanagedState<State> _state = new();
    private readonly int _layerCount;

    /// <summary>Per kind of tensor and layer what is wanted of the next graph. Pinned, for the callback.</summary>
    private readonly Tap[] _taps;

    public GraphCapture(int hiddenSize, int layerCount)
    {
        _layerCount = layerCount;
        _taps = GC.AllocateArray<Tap>(TensorKinds * layerCount, pinned: true);
        var state = _state.Pointer;
        state->HiddenSize = hiddenSize;
        state->LayerCount = layerCount;
        state->Taps = (Tap*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(_taps));
    }

    /// <summary>Adds the callback to a context's parameters. The context must not outlive this object.</summary>
    public void AddTo(ref LLamaContextParams parameters)
    {
        delegate* unmanaged[Cdecl]<void*, byte, void*, byte> callback = &OnNode;
        parameters.cb_eval = (nint)callback;
        parameters.cb_eval_user_data = (nint)_state.Pointer;

        // Makes every token an output, so that its hidden state is computed.
        parameters.embeddings = true;
        parameters.llama_pooling_type = LLamaPoolingType.None;
    }

    /// <summary>Keeps the callback's state while a decode uses it.</summary>
    public HandleLease Use() => new(_state);

    /// <summary>The next graph's rows of a layer's tensor go to this place, too.</summary>
    /// <param name="target">The tensor, and which of its rows.</param>
    /// <param name="destination">The target's memory, pinned until <see cref="Finish"/>.</param>
    public void Want(CaptureTarget target, float* destination) =>
        _taps[IndexOf(target.Tensor, target.Layer)] = new Tap
        {
            Destination = destination,
            FirstRow = target.FirstRow,
            Columns = target.Columns,
            Heads = target.Heads,
        };

    /// <summary>The next graph's hidden states go here.</summary>
    /// <param name="rows">Room for [tokens, hidden size], pinned until <see cref="Finish"/>.</param>
    /// <param name="tokenCount">Tokens of the decode.</param>
    /// <param name="endsGraph">Whether nothing after the hidden states is wanted.</param>
    public void Begin(float* rows, int tokenCount, bool endsGraph)
    {
        var state = _state.Pointer;
        state->Expected = tokenCount;
        state->Captured = 0;
        state->FaultElements = 0;
        state->EndsGraph = endsGraph ? 1 : 0;
        state->Rows = rows;
    }

    /// <summary>To be called when the decode has returned: nothing is written any more.</summary>
    public void Finish()
    {
        _state.Pointer->Rows = null;
        foreach (ref var tap in _taps.AsSpan())
        {
            tap.Destination = null;
        }
    }

    /// <summary>Checks that the decode's rows were captured.</summary>
    /// <param name="targets">What else was wanted.</param>
    /// <exception cref="LlamaException">They were not: this graph is not the one that Tamx knows.</exception>
    public void Verify(IReadOnlyList<CaptureTarget> targets)
    {
        var state = _state.Pointer;
        if (state->FaultElements != 0)
        {
            throw new LlamaException(
                $"{(state->FaultTap < 0 ? "hidden states have" : NameOf(state->FaultTap) + " has")} an unexpected form: "
                    + $"{state->FaultRows} rows, {state->FaultElements} values of {state->FaultBytes} bytes "
                    + $"for {state->Expected} tokens and a hidden size of {state->HiddenSize}"
            );
        }

        if (state->Captured != state->Expected)
        {
            throw new LlamaException("llama.cpp's graph has no tensor of hidden states");
        }

        foreach (var target in targets)
        {
            var index = IndexOf(target.Tensor, target.Layer);
            if (_taps[index].IsCaptured == 0)
            {
                throw new LlamaException($"llama.cpp's graph has no {NameOf(index)}");
            }
        }
    }

    public void Dispose() => _state.Dispose();

    private int IndexOf(LayerTensor tensor, int layer) => ((int)tensor * _layerCount) + layer;

    private string NameOf(int tap) => $"tensor {(LayerTensor)(tap / _layerCount)} of layer {tap % _layerCount}";

    // With ask = 1 the answer says whether the tensor's values are wanted. Else they are there, and 0 ends the graph.
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static byte OnNode(void* tensor, byte ask, void* data)
    {
        var state = (State*)data;
        if (state->Rows == null)
        {
            return ask != 0 ? (byte)0 : (byte)1;
        }

        var name = NameOf(state, tensor);
        var isHiddenStates = state->Captured == 0 && IsHiddenStates(name);
        var tap = isHiddenStates ? -1 : FindTap(state, name);
        if (ask != 0)
        {
            return isHiddenStates || tap >= 0 ? (byte)1 : (byte)0;
        }

        if (isHiddenStates)
        {
            return CopyHiddenStates(state, tensor);
        }

        return tap < 0 || CopyTap(state, tensor, tap) ? (byte)1 : (byte)0;
    }

    private static byte CopyHiddenStates(State* state, void* tensor)
    {
        var elements = (long)state->Expected * state->HiddenSize;
        if (GgmlApi.CountRows(tensor) != state->Expected || !IsPlain(tensor, elements))
        {
            Fault(state, tensor, -1);
            return 0;
        }

        GgmlBackendApi.CopyTensor(tensor, state->Rows, 0, GgmlApi.CountBytes(tensor));
        state->Captured = state->Expected;
        return state->EndsGraph != 0 ? (byte)0 : (byte)1;
    }

    private static bool CopyTap(State* state, void* tensor, int index)
    {
        var tap = state->Taps + index;
        var elements = GgmlApi.CountElements(tensor);
        var planes = (long)state->Expected * tap->Heads;

        // The cache's columns are padded; other tensors' rows are just as wide as they are.
        var width = elements / planes;
        var isAttention = index / state->LayerCount == (int)LayerTensor.Attention;
        if (!IsPlain(tensor, width * planes) || (isAttention ? width < tap->Columns : width != tap->Columns))
        {
            Fault(state, tensor, index);
            return false;
        }

        var count = state->Expected - tap->FirstRow;
        var destination = tap->Destination;
        for (var head = 0; head < tap->Heads; head++)
        {
            var first = (((long)head * state->Expected) + tap->FirstRow) * width;
            if (width == tap->Columns)
            {
                var values = (nuint)(count * width);
                GgmlBackendApi.CopyTensor(tensor, destination, (nuint)first * sizeof(float), values * sizeof(float));
                destination += values;
                continue;
            }

            for (var row = 0; row < count; row++, destination += tap->Columns)
            {
                GgmlBackendApi.CopyTensor(
                    tensor,
                    destination,
                    (nuint)(first + (row * width)) * sizeof(float),
                    (nuint)tap->Columns * sizeof(float)
                );
            }
        }

        tap->IsCaptured = 1;
        return true;
    }

    private static bool IsPlain(void* tensor, long elements) =>
        GgmlApi.GetElementBytes(tensor) == sizeof(float)
        && GgmlApi.CountElements(tensor) == elements
        && GgmlApi.IsContiguous(tensor) != 0;

    private static void Fault(State* state, void* tensor, int tap)
    {
        state->FaultTap = tap;
        state->FaultRows = GgmlApi.CountRows(tensor);
        state->FaultElements = Math.Max(1, GgmlApi.CountElements(tensor));
        state->FaultBytes = (int)GgmlApi.GetElementBytes(tensor);
    }

    private static ReadOnlySpan<byte> NameOf(State* state, void* tensor)
    {
        // This is asked of each of the graph's thousand nodes, and the name lies at the same place in every tensor.
        if (state->NameOffset == 0)
        {
            state->NameOffset = (nint)(GgmlApi.GetName(tensor) - (byte*)tensor);
        }

        return MemoryMarshal.CreateReadOnlySpanFromNullTerminated((byte*)tensor + state->NameOffset);
    }

    /// <summary>By name: "result_embd_pooled" with the embeddings output on, else "result_norm".</summary>
    private static bool IsHiddenStates(ReadOnlySpan<byte> name) =>
        name.SequenceEqual("result_embd_pooled"u8) || name.SequenceEqual("result_norm"u8);

    /// <summary>The wanted tensor of this name; -1 if it is none.</summary>
    private static int FindTap(State* state, ReadOnlySpan<byte> name)
    {
        var dash = name.LastIndexOf((byte)'-');
        if (dash < 0)
        {
            return -1;
        }

        var stem = name[..dash];
        var kind =
            stem.SequenceEqual("l_out"u8) ? LayerTensor.Residual
            : stem.SequenceEqual("ffn_inp"u8) || stem.SequenceEqual("attn_residual"u8) ? LayerTensor.AttentionResidual
            : stem.SequenceEqual("Vcur"u8) ? LayerTensor.Values
            : stem.SequenceEqual("kq_soft_max"u8) ? LayerTensor.Attention
            : stem.SequenceEqual("gate_sigmoid"u8) ? LayerTensor.Gate
            : (LayerTensor?)null;
        if (kind is null)
        {
            return -1;
        }

        var layer = 0;
        foreach (var digit in name[(dash + 1)..])
        {
            if (digit is < (byte)'0' or > (byte)'9' || layer >= state->LayerCount)
            {
                return -1;
            }

            layer = (layer * 10) + digit - '0';
        }

        var index = layer < state->LayerCount ? ((int)kind * state->LayerCount) + layer : -1;
        return index >= 0 && state->Taps[index].Destination != null ? index : -1;
    }

    /// <summary>A wanted tensor.</summary>
    private struct Tap
    {
        public float* Destination;
        public int FirstRow;
        public int Columns;
        public int Heads;
        public int IsCaptured;
    }

    /// <summary>What the callback reads and writes.</summary>
    private struct State
    {
        public float* Rows;
        public Tap* Taps;
        public int Expected;
        public int Captured;
        public int HiddenSize;
        public int LayerCount;
        public int EndsGraph;
        public nint NameOffset;
        public int FaultTap;
        public long FaultRows;
        public long FaultElements;
        public int FaultBytes;
    }
}
