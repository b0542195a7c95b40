using System.Runtime.InteropServices;
using Tamx.Llama.Families;
using Tamx.Llama.Interop;

namespace Tamx.Llama;

/// <summary>The cells of a temporal patch and the text tokens around them.</summary>
/// <param name="Columns">Cells per row.</param>
/// <param name="Rows">Rows of cells.</param>
/// <param name="Before">Tokens before the cells (the start marker).</param>
/// <param name="After">Tokens after them (the end marker).</param>
internal sealed record VisionGrid(int Columns, int Rows, int[] Before, int[] After);

/// <summary>The frames of one temporal patch in libmtmd: their cells, and the tokens around these.</summary>
internal sealed unsafe class VisionPatch : IDisposable
{
    private readonly VisionProjector _projector;
    private readonly int _width;
    private readonly int _height;
    private readonly List<int> _before = [];
    private readonly List<int> _after = [];
    private nint _chunks;

    /// <param name="projector">The projector, which must outlive the patch.</param>
    /// <param name="width">Width in pixels.</param>
    /// <param name="height">Height in pixels.</param>
    /// <param name="first">Pixels of the first frame; empty to count cells without encoding them.</param>
    /// <param name="second">Pixels of the second frame, or empty for a still picture.</param>
    public VisionPatch(
        VisionProjector projector,
        int width,
        int height,
        ReadOnlySpan<byte> first,
        ReadOnlySpan<byte> second
    )
    {
        var byteCount = checked(width * height * 3);
        if ((!first.IsEmpty && first.Length != byteCount) || (!second.IsEmpty && second.Length != byteCount))
        {
            throw new ArgumentException(
                $"a frame of {width} x {height} pixels has {byteCount} bytes, not {first.Length} or {second.Length}"
            );
        }

        (_projector, _width, _height) = (projector, width, height);
        _chunks = MtmdApi.CreateChunks();
        try
        {
            using var errors = NativeLog.Listen();
            fixed (
                byte* pixels = first,
                    secondPixels = second
            )
            {
                if (Tokenize(projector.Handle, width, height, pixels, secondPixels) != 0)
                {
                    throw new InvalidInputException($"the picture could not be prepared{errors.Because}");
                }
            }

            ReadChunks(second.IsEmpty);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The chunk of cells, owned by the patch.</summary>
    public nint Cells { get; private set; }

    public int CellCount => (int)MtmdApi.CountTokens(Cells);

    /// <summary>The grid; cells lie row by row.</summary>
    /// <remarks>
    /// It is read off the cells' positions on M-RoPE's axes. Without axes libmtmd tells the number of cells alone: it
    /// must be that of the picture's whole cells.
    /// </remarks>
    public VisionGrid ReadGrid()
    {
        var (columns, rows) = ((long)_width / _projector.Facts.CellSize, (long)_height / _projector.Facts.CellSize);
        if (_projector.UsesMrope)
        {
            var last = MtmdApi.GetPosition(MtmdApi.GetImageTokens(Cells), 0, (nuint)(CellCount - 1));
            (columns, rows) = ((long)last.X + 1, (long)last.Y + 1);
        }

        var tokens = (columns * rows) + (_projector.HasRowEnds ? rows - 1 : 0);
        return tokens == CellCount
            ? new VisionGrid((int)columns, (int)rows, [.. _before], [.. _after])
            : throw new InvalidInputException("the projector's cells of the picture are no grid");
    }

    public void Dispose()
    {
        MtmdApi.FreeChunks(_chunks);
        _chunks = 0;
    }

    // libmtmd joins adjacent frames of one size into one temporal patch.
    private int Tokenize(MtmdHandle projector, int width, int height, byte* first, byte* second)
    {
        var marker = MtmdApi.GetDefaultMarker();
        var markerBytes = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(marker);
        var count = second == null ? 1 : 2;
        Span<byte> text = stackalloc byte[(2 * markerBytes.Length) + 1];
        text.Clear();
        markerBytes.CopyTo(text);
        if (count == 2)
        {
            markerBytes.CopyTo(text[markerBytes.Length..]);
        }

        var bitmaps = stackalloc nint[2];
        bitmaps[0] = MtmdApi.CreateBitmap((uint)width, (uint)height, first);
        bitmaps[1] = count == 2 ? MtmdApi.CreateBitmap((uint)width, (uint)height, second) : 0;
        try
        {
            fixed (byte* start = text)
            {
                var input = new MtmdApi.InputText
                {
                    Text = start,
                    Length = (nuint)(count * markerBytes.Length),
                    ParseSpecial = 1,
                };
                return MtmdApi.Tokenize(projector, _chunks, &input, bitmaps, (nuint)count);
            }
        }
        finally
        {
            for (var i = 0; i < count; i++)
            {
                MtmdApi.FreeBitmap(bitmaps[i]);
            }
        }
    }

    // Start marker (text), the cells, end marker (text).
    private void ReadChunks(bool isStill)
    {
        for (nuint i = 0; i < MtmdApi.CountChunks(_chunks); i++)
        {
            var chunk = MtmdApi.GetChunk(_chunks, i);
            if (MtmdApi.GetChunkType(chunk) == MtmdApi.ImageChunk)
            {
                if (Cells != 0 && !ProjectorKind.Of(_projector.Facts.ProjectorType).IsWholeLast)
                {
                    throw new InvalidInputException(
                        isStill
                            ? $"the projector cuts a picture of {_width} x {_height} pixels into tiles, and Tamx shows one"
                            : "the projector does not join two frames"
                    );
                }

                Cells = chunk;
                continue;
            }

            var tokens = MtmdApi.GetTextTokens(chunk, out var count);
            (Cells == 0 ? _before : _after).AddRange(new ReadOnlySpan<int>(tokens, (int)count));
        }

        if (Cells == 0)
        {
            throw new InvalidInputException("the projector made no cells of the picture");
        }
    }
}
