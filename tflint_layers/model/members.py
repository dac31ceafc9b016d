"""Attributes, items and elements of values."""

from __future__ import annotations

import ast
from dataclasses import replace
from functools import cache

from tflint_layers.model import api
from tflint_layers.model.classes import ClassInfo, FunctionInfo
from tflint_layers.model.imports import canonical
from tflint_layers.model.namepatterns import fits
from tflint_layers.model.narrowing import Narrowing
from tflint_layers.model.scopes import Phase
from tflint_layers.model.syntax import last_name
from tflint_layers.model.values import (
    STATIC,
    UNKNOWN,
    Api,
    Array,
    Class,
    Container,
    Instance,
    Method,
    NotConstant,
    OneOf,
    Shape,
    Static,
    StaticDim,
    Super,
    Tensor,
    Value,
    Variable,
    changed,
    constant_of,
    join,
    literal,
    of_each,
    part_of_new,
    stored,
    without_none,
)

_TUPLE_METHODS = frozenset(dir(tuple))


@cache
def _member(dotted: str, name: str) -> tuple[Api, bool]:
    """What stands under a name in a module or class, and whether that is a library's."""
    member = canonical(f"{dotted}.{name}")
    return Api(member), api.is_library(member)


class Members(Narrowing):
    """Evaluates attributes, subscripts, iteration and unpacking."""

    def attribute_of(self, node: ast.Attribute) -> Value:
        """The value of an attribute expression."""
        receiver, name = self.evaluate(node.value), node.attr
        return self._attribute_of_each(receiver, name) if type(receiver) is OneOf else self.attribute(receiver, name)

    def _attribute_of_each(self, receiver: OneOf, name: str) -> Value:
        # Nothing is read of None: that raises.
        return of_each(without_none(receiver), lambda alternative: self.attribute(alternative, name))

    def attribute(self, receiver: Value, name: str) -> Value:
        """The value of ``receiver.name``."""
        if isinstance(receiver, Api):
            member, is_library = _member(receiver.name, name)
            return member if is_library else self.imported(member.name, self.frame.scope.module)
        if isinstance(receiver, Instance):
            return self._instance_attribute(receiver, name)
        if isinstance(receiver, Super):
            return self._super_attribute(receiver, name)
        if isinstance(receiver, Class):
            return self._class_attribute(receiver.cls, name)
        if isinstance(receiver, (Tensor, Variable)):
            return self._tensor_attribute(receiver, name)
        if isinstance(receiver, Shape):
            return STATIC if name in {"rank", "ndims"} else Method(receiver, name)
        if isinstance(receiver, (Static, Array)):
            return (
                STATIC if isinstance(receiver, Array) and name in {"shape", "dtype", "size"} else Method(receiver, name)
            )
        if isinstance(receiver, Container):
            # Operations with several results give named tuples.
            if receiver.type == "tuple" and name not in _TUPLE_METHODS:
                return receiver.entry(name) or receiver.of
            return Method(receiver, name)
        return UNKNOWN

    def matching_attribute(self, receiver: Value, pattern: str) -> Value:
        """What an object has under the names that fit a pattern, joined."""
        if not isinstance(receiver, Instance) or receiver.cls is None:
            return UNKNOWN
        cls = receiver.cls
        written = [name for owner, name in self.heap if owner is cls]
        methods = [name for ancestor in cls.ancestry if isinstance(ancestor, ClassInfo) for name in ancestor.methods]
        names = [name for name in dict.fromkeys([*self.declared(cls), *written, *methods]) if fits(name, pattern)]
        return join(self.attribute(receiver, name) for name in names)

    def _tensor_attribute(self, receiver: Tensor | Variable, name: str) -> Value:
        if name == "shape":
            return Shape(isinstance(receiver, Tensor) and receiver.batch and not receiver.eager)
        if name == "graph" and isinstance(receiver, Tensor) and not receiver.eager:
            return api.GRAPH
        kind = api.tensor_attribute(name)
        if kind == "static":
            return STATIC
        if kind == "tensor":
            return self.tensor()
        return Method(receiver, name)

    def _instance_attribute(self, receiver: Instance, name: str) -> Value:
        cls = receiver.cls
        if cls is None:
            known = api.instance_attribute(receiver.name, name)
            return known if known is not None else Method(receiver, name)
        if (cls, name) in self.heap:
            return self.heap[cls, name]
        if name == "__class__":
            return Class(cls)
        if name == "__dict__":
            return Container(UNKNOWN, (), "dict", origin="" if receiver.fresh else "self.__dict__")
        if name == "built" and self.frame.scope.phase is Phase.CALL and cls.method("build") is not None:
            return Static(True)  # Keras builds a layer before it calls it
        for field, value in receiver.fields:
            if field == name:
                return value
        declared = self.declared(cls)
        if name in declared:
            return part_of_new(declared[name]) if receiver.fresh else declared[name]
        method = cls.method(name)
        if method is not None:
            return self._bound_method(method, receiver)
        inherited = api.instance_attribute(receiver.name, name)
        if inherited is not None:
            return inherited
        return Method(receiver, name) if receiver.name and api.has_method(receiver.name, name) else UNKNOWN

    def _bound_method(self, method: FunctionInfo, receiver: Value) -> Value:
        if method.decorators and (read := self.described(method, receiver)) is not None:
            return read
        kinds = {last_name(decorator) for decorator in method.decorators}
        if kinds & {"property", "cached_property"}:
            # Python runs it, behind the back of AutoGraph.
            function = self.function_value(method, bound=receiver)
            return self.call_function(replace(function, autograph=function.autograph or False), ())
        return self.function_value(method, bound=None if "staticmethod" in kinds else receiver)

    def _super_attribute(self, receiver: Super, name: str) -> Value:
        instance = receiver.instance
        if not isinstance(instance, Instance) or instance.cls is None:
            return UNKNOWN
        method = instance.cls.method(name, after=receiver.after)
        if method is not None:
            return self._bound_method(method, instance)
        return Method(Instance(instance.name, origin="super"), name)

    def _class_attribute(self, cls: ClassInfo, name: str) -> Value:
        if name in {"__name__", "__qualname__", "__module__", "__doc__"}:
            return STATIC
        method = cls.method(name)
        if method is not None:
            return self.function_value(method)
        if (cls, name) in self.heap:
            return self.heap[cls, name]
        for ancestor in cls.ancestry:
            if isinstance(ancestor, ClassInfo) and name in ancestor.attributes:
                return stored(self.class_value(ancestor, name), f"{ancestor.name}.{name}")
        return UNKNOWN

    def item_of(self, node: ast.Subscript) -> Value:
        """The value of a subscript."""
        receiver, index = self.evaluate(node.value), self.evaluate(node.slice)
        value = of_each(receiver, lambda alternative: self._item(alternative, node.slice, index))
        if isinstance(value, StaticDim):
            return self.frame.environment.names.get(ast.unparse(node), value)
        return value

    def _item(self, receiver: Value, node: ast.expr, index: Value) -> Value:
        if isinstance(receiver, (Tensor, Variable)):
            return self._tensor_item(receiver, node)
        if isinstance(receiver, Shape):
            return _shape_item(receiver, node, index)
        if isinstance(receiver, Container):
            return _container_item(receiver, node, index)
        if isinstance(receiver, Array):
            return Array()
        if isinstance(receiver, Static):
            return STATIC
        if isinstance(receiver, Instance) and receiver.name == api.DYNAMIC_SHAPE:
            return self._dynamic_dimension(receiver, node, index)
        return UNKNOWN

    def _dynamic_dimension(self, shape: Instance, node: ast.expr, index: Value) -> Value:
        """An entry of ``keras.ops.shape(x)``: a tensor for the batch axis, numbers for axes of a known size."""
        if isinstance(node, ast.Slice):
            return shape if node.lower is None else replace(shape, origin="inner" if shape.origin else "")
        number = constant_of(index)
        if not shape.origin or not isinstance(number, int):
            return UNKNOWN
        return self.tensor() if shape.origin == "batch" and number == 0 else STATIC

    def _tensor_item(self, receiver: Tensor | Variable, node: ast.expr) -> Value:
        if isinstance(receiver, Variable):
            return changed(receiver, keras=False)
        keeps_batch = _whole_first_axis(node) or (receiver.nest and isinstance(literal(node), str))
        nest = receiver.nest and not isinstance(node, ast.Tuple)
        eager = receiver.eager and self.frame.eager
        return changed(receiver, batch=receiver.batch and keeps_batch, nest=nest, eager=eager)

    def element(self, value: Value) -> Value:
        """What iterating over the value gives at each step."""
        return of_each(value, self._element)

    def _element(self, value: Value) -> Value:
        if isinstance(value, Container):
            if value.type == "dict":
                return STATIC
            return value.of
        if isinstance(value, Tensor):
            return replace(value, batch=value.nest and value.batch, shapeless=False)
        if isinstance(value, Variable):
            return self.tensor()
        if isinstance(value, Shape):
            return join([StaticDim(), STATIC]) if value.batch else STATIC
        if isinstance(value, (Static, Array)):
            return STATIC if isinstance(value, Static) else Array()
        return UNKNOWN

    def unpacked(self, value: Value, count: int) -> list[Value]:
        """The values that ``count`` targets get from ``a, b = value``."""
        if isinstance(value, Container) and value.items is not None and len(value.items) == count:
            return list(value.items)
        if isinstance(value, Shape):
            return [StaticDim() if value.batch and not i else STATIC for i in range(count)]
        if isinstance(value, Instance) and value.name == api.DYNAMIC_SHAPE and value.origin == "batch":
            return [STATIC if i else self.tensor() for i in range(count)]
        if isinstance(value, OneOf):
            columns = [self.unpacked(alternative, count) for alternative in value.values]
            return [join(column) for column in zip(*columns, strict=True)]
        return [self.element(value)] * count


def _shape_item(shape: Shape, node: ast.expr, index: Value) -> Value:
    if isinstance(node, ast.Slice):
        starts_at_batch = node.lower is None or literal(node.lower) == 0
        return Shape(shape.batch and starts_at_batch)
    number = constant_of(index)
    if isinstance(number, NotConstant):
        return UNKNOWN if shape.batch else STATIC
    return StaticDim() if shape.batch and number == 0 else STATIC


def _container_item(container: Container, node: ast.expr, index: Value) -> Value:
    if isinstance(node, ast.Slice):
        if container.items is not None and all(p is None for p in (node.lower, node.upper, node.step)):
            return replace(container, origin="")
        return Container(container.of, None, container.type)
    number = constant_of(index)
    items = container.items
    if container.entries and isinstance(number, str) and (entry := container.entry(number)) is not None:
        return entry
    if items is not None and isinstance(number, int) and -len(items) <= number < len(items):
        return items[number]
    return container.of


def _whole_first_axis(index: ast.expr) -> bool:
    first = index.elts[0] if isinstance(index, ast.Tuple) and index.elts else index
    if isinstance(first, ast.Slice):
        return first.lower is None and first.upper is None
    return isinstance(first, ast.Constant) and first.value is Ellipsis
