using System.Collections;

namespace Tamx.Report.Tests;

/// <summary>A list that tells which entry is being read.</summary>
internal sealed class CallbackList<T>(IReadOnlyList<T> items, Action<int> onRead) : IReadOnlyList<T>
{
    public int Count => items.Count;

    public T this[int index]
    {
        get
        {
            onRead(index);
            return items[index];
        }
    }

    public IEnumerator<T> GetEnumerator() => Enumerable.Range(0, Count).Select(index => this[index]).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
