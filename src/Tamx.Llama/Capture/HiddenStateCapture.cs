using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using LLama.Native;
using Tamx.Llama.Interop;

namespace Tamx.Llama.Capture;

/// <summary>
/// Copies the hidden states after the final norm out of a model's graph, straight into the caller's rows, while the
/// graph is computed. It can end the graph there, before the product with the output embedding.
/// </summary>
/// <remarks>
/// With llama.cpp's embeddings output on, every token of a decode has a row, in token order. The callback's state lies
/// in native memory: a native thread touches no managed object.
/// </remarks>
internal sealed unsafe class HiddenStateCapture : IDisposable
{
    private readonly UnmanagedState<State> _state = new();

    public HiddenStateCapture(int hiddenSize) => _state.Pointer->HiddenSize = hiddenSize;

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

    /// <summary>To be called when the decode has returned: its rows are no longer written.</summary>
    public void Finish() => _state.Pointer->Rows = null;

    /// <summary>Checks that the decode's rows were captured.</summary>
    /// <exception cref="LlamaException">They were not: this graph is not the one that Tamx knows.</exception>
    public void Verify()
    {
        var state = _state.Pointer;
        if (state->FaultElements != 0)
        {
            throw new LlamaException(
                $"hidden states have an unexpected form: {state->FaultRows} rows, "
                    + $"{state->FaultElements} values of {state->FaultBytes} bytes; "
                    + $"expected {state->Expected} rows of {state->HiddenSize} 32-bit values"
            );
        }

        if (state->Captured != state->Expected)
        {
            throw new LlamaException("llama.cpp's graph has no tensor of hidden states");
        }
    }

    public void Dispose() => _state.Dispose();

    // With ask = 1 the answer says whether the tensor's values are wanted. Else they are there, and 0 ends the graph.
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static byte OnNode(void* tensor, byte ask, void* data)
    {
        var state = (State*)data;
        var isWanted = state->Rows != null && state->Captured == 0 && IsHiddenStates(state, tensor);
        if (ask != 0)
        {
            return isWanted ? (byte)1 : (byte)0;
        }

        if (!isWanted)
        {
            return 1;
        }

        var rows = GgmlApi.CountRows(tensor);
        var elements = GgmlApi.CountElements(tensor);
        var elementBytes = (int)GgmlApi.GetElementBytes(tensor);
        if (
            elementBytes != sizeof(float)
            || rows != state->Expected
            || elements != (long)state->Expected * state->HiddenSize
            || GgmlApi.IsContiguous(tensor) == 0
        )
        {
            state->FaultRows = rows;
            state->FaultElements = Math.Max(1, elements);
            state->FaultBytes = elementBytes;
            return 0;
        }

        GgmlBackendApi.CopyTensor(tensor, state->Rows, 0, GgmlApi.CountBytes(tensor));
        state->Captured = state->Expected;
        return state->EndsGraph != 0 ? (byte)0 : (byte)1;
    }

    /// <summary>By name: "result_embd_pooled" with the embeddings output on, else "result_norm".</summary>
    private static bool IsHiddenStates(State* state, void* tensor)
    {
        // This is asked of each of the graph's thousand nodes, and the name lies at the same place in every tensor.
        if (state->NameOffset == 0)
        {
            state->NameOffset = (nint)(GgmlApi.GetName(tensor) - (byte*)tensor);
        }

        var name = MemoryMarshal.CreateReadOnlySpanFromNullTerminated((byte*)tensor + state->NameOffset);
        return name.SequenceEqual("result_embd_pooled"u8) || name.SequenceEqual("result_norm"u8);
    }

    /// <summary>What the callback reads and writes.</summary>
    private struct State
    {
        public float* Rows;
        public int Expected;
        public int Captured;
        public int HiddenSize;
        public int EndsGraph;
        public nint NameOffset;
        public long FaultRows;
        public long FaultElements;
        public int FaultBytes;
    }
}
