namespace Tamx.Llama.Gguf;

/// <summary>
/// Compares a file's tensors with what llama.cpp computes with, and names the first that does not fit. At the end it
/// refuses every tensor that was not asked about.
/// </summary>
/// <param name="model">The file or files.</param>
/// <param name="kind">What errors call the thing that the tensors belong to.</param>
internal sealed class TensorChecklist(GgufModel model, string kind)
{
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);

    /// <summary>A matrix or table, in any type that llama.cpp multiplies with.</summary>
    public GgufTensor Matrix(string name, params ReadOnlySpan<long> shape)
    {
        var tensor = Shaped(name, shape);
        return tensor.Type.IsWeightType
            ? tensor
            : throw WrongType(tensor, "a weight type such as F32, F16, Q8_0 or Q4_K");
    }

    /// <summary>A norm's or bias's vector, or a table to interpolate: llama.cpp takes these as F32 only.</summary>
    public GgufTensor Plain(string name, params ReadOnlySpan<long> shape)
    {
        var tensor = Shaped(name, shape);
        return tensor.Type == TensorType.F32 ? tensor : throw WrongType(tensor, "F32");
    }

    /// <summary>A convolution's kernel. ggml computes it in these two types alone, and asserts that.</summary>
    public GgufTensor Kernel(string name, params ReadOnlySpan<long> shape)
    {
        var tensor = Shaped(name, shape);
        var fits = tensor.Type == TensorType.F32 || tensor.Type == TensorType.F16;
        return fits ? tensor : throw WrongType(tensor, "F32 or F16");
    }

    /// <summary>A norm: weight, and bias if it has one.</summary>
    public void Norm(string name, int size, bool hasBias = true)
    {
        Plain($"{name}.weight", size);
        if (hasBias)
        {
            Plain($"{name}.bias", size);
        }
    }

    /// <summary>A linear layer: matrix, and bias if it has one.</summary>
    public void Linear(string name, int inputSize, int outputSize, bool hasBias = true)
    {
        Matrix($"{name}.weight", inputSize, outputSize);
        if (hasBias)
        {
            Plain($"{name}.bias", outputSize);
        }
    }

    /// <summary>Whether there is a tensor of this name.</summary>
    public bool Has(string name) => model.FindTensor(name) is not null;

    /// <summary>An optional matrix.</summary>
    public GgufTensor? OptionalMatrix(string name, params ReadOnlySpan<long> shape) =>
        model.FindTensor(name) is null ? null : Matrix(name, shape);

    /// <summary>An optional vector.</summary>
    public void OptionalPlain(string name, params ReadOnlySpan<long> shape)
    {
        if (model.FindTensor(name) is not null)
        {
            Plain(name, shape);
        }
    }

    /// <summary>A tensor that llama.cpp loads but never computes with, so its shape does not matter.</summary>
    public void Unused(string name) => _known.Add(name);

    /// <summary>Refuses every tensor that was not asked about.</summary>
    /// <param name="reason">What llama.cpp would do with it.</param>
    public void RefuseOthers(string reason)
    {
        if (model.Tensors.FirstOrDefault(tensor => !_known.Contains(tensor.Name)) is { } other)
        {
            var name = OutsideText.Quoted(other.Name);
            throw new ModelFormatException(
                other.FilePath,
                $"tensor {name} must not be there: a {kind} has none of that name, and llama.cpp {reason}"
            );
        }
    }

    private GgufTensor Shaped(string name, ReadOnlySpan<long> shape)
    {
        var wanted = $"[{string.Join(", ", shape.ToArray())}]";
        var tensor =
            model.FindTensor(name)
            ?? throw new ModelFormatException(model.Path, $"tensor {name} is missing; it must have shape {wanted}");
        _known.Add(name);

        // Sizes of 1 at the end do not count: [n] and [n, 1] are the same tensor to llama.cpp.
        for (var i = 0; i < 4; i++)
        {
            var found = i < tensor.Shape.Count ? tensor.Shape[i] : 1;
            if (found != (i < shape.Length ? shape[i] : 1))
            {
                throw new ModelFormatException(
                    tensor.FilePath,
                    $"tensor {name} has shape {tensor.ShapeText}; it must be {wanted}"
                );
            }
        }

        return tensor;
    }

    private static ModelFormatException WrongType(GgufTensor tensor, string wanted) =>
        new(tensor.FilePath, $"tensor {tensor.Name} is stored as {tensor.Type}; it must be {wanted}");
}
