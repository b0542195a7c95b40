namespace Tamx.Llama.Gguf;

/// <summary>Holds a file's tensors against what llama.cpp computes with; the first that does not fit ends in an error naming it.</summary>
internal sealed class TensorChecklist(GgufModel model)
{
    /// <summary>A matrix or table, in any type that llama.cpp multiplies with.</summary>
    public GgufTensor Matrix(string name, params ReadOnlySpan<long> shape)
    {
        GgufTensor tensor = Shaped(name, shape);
        return tensor.Type.IsWeightType ? tensor : throw WrongType(tensor, "a weight type such as F32, F16, Q8_0 or Q4_K");
    }

    /// <summary>A norm's or bias's vector (or a table that is interpolated), which llama.cpp adds and multiplies as F32 only.</summary>
    public GgufTensor Plain(string name, params ReadOnlySpan<long> shape)
    {
        GgufTensor tensor = Shaped(name, shape);
        return tensor.Type == TensorType.F32 ? tensor : throw WrongType(tensor, "F32");
    }

    /// <summary>A convolution's kernel, which llama.cpp takes as floats only.</summary>
    public GgufTensor Kernel(string name, params ReadOnlySpan<long> shape)
    {
        GgufTensor tensor = Shaped(name, shape);
        return tensor.Type.IsWeightType && !tensor.Type.IsQuantized ? tensor : throw WrongType(tensor, "F32, F16 or BF16");
    }

    public void Absent(string name, string reason)
    {
        if (model.FindTensor(name) is { } tensor)
        {
            throw new ModelFormatException(tensor.FilePath, $"tensor {name} must not be there: {reason}");
        }
    }

    private GgufTensor Shaped(string name, ReadOnlySpan<long> shape)
    {
        string wanted = $"[{string.Join(", ", shape.ToArray())}]";
        GgufTensor tensor = model.FindTensor(name) ?? throw new ModelFormatException(model.Path, $"tensor {name} is missing; it must have shape {wanted}");

        // Sizes of 1 at the end say nothing: [n] and [n, 1] are the same tensor to llama.cpp.
        for (int i = 0; i < 4; i++)
        {
            long found = i < tensor.Shape.Count ? tensor.Shape[i] : 1;
            if (found != (i < shape.Length ? shape[i] : 1))
            {
                throw new ModelFormatException(tensor.FilePath, $"tensor {name} has shape {tensor.ShapeText}; it must be {wanted}");
            }
        }

        return tensor;
    }

    private static ModelFormatException WrongType(GgufTensor tensor, string wanted) =>
        new(tensor.FilePath, $"tensor {tensor.Name} is stored as {tensor.Type}; it must be {wanted}");
}
